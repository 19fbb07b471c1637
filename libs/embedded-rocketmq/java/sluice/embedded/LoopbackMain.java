package sluice.embedded;

import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Set;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.CtConstructor;
import javassist.CtMethod;
import javassist.LoaderClassPath;

/**
 * Runs a RocketMQ main class whose every listener is bound to 127.0.0.1. RocketMQ has a setting for that for some of them
 * only: not for the broker's HA port, the gRPC port and the proxy's remoting port. Takes away waits at its start and end, too.
 *
 * <p>Usage: java --add-opens=java.base/java.net=ALL-UNNAMED -Djava.net.preferIPv4Stack=true sluice.embedded.LoopbackMain MAIN-CLASS ARGUMENTS.
 */
public final class LoopbackMain {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final String SERVER_CONFIG = "org.apache.rocketmq.remoting.netty.NettyServerConfig";
  private static final String CLIENT = "org.apache.rocketmq.remoting.netty.NettyRemotingClient";
  private static final String NEGOTIATOR = "org.apache.rocketmq.proxy.grpc.ProxyAndTlsProtocolNegotiator";
  /** Classes of the same packages and class loader, through which the changed ones are defined. */
  private static final String NEIGHBOUR = "org.apache.rocketmq.remoting.netty.NettySystemConfig";
  private static final String GRPC_NEIGHBOUR = "org.apache.rocketmq.proxy.grpc.GrpcServer";

  private LoopbackMain() {}

  public static void main(String[] arguments) throws Exception {
    bindWildcardToLoopback();
    ClassPool pool = new ClassPool();
    pool.appendClassPath(new LoaderClassPath(LoopbackMain.class.getClassLoader()));
    bindNettyServersToLoopback(pool);
    registerBeforeNameServersWereTried(pool);
    boolean isProxy = arguments[0].equals("org.apache.rocketmq.proxy.ProxyStartup");
    if (isProxy && "disabled".equals(System.getProperty("tls.server.mode"))) makeNoCertificateWithoutTls(pool);
    Runtime.getRuntime().addShutdownHook(new Thread(LoopbackMain::endIdleEventThreads, "sluice-end-idle-event-threads"));
    Class.forName(arguments[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
  }

  /** Makes {@code new InetSocketAddress(port)} mean 127.0.0.1: the HA port and gRPC are bound with it. */
  private static void bindWildcardToLoopback() throws ReflectiveOperationException {
    Field implField = InetAddress.class.getDeclaredField("impl");
    implField.setAccessible(true);
    Object impl = implField.get(null);
    Field anyLocal = impl.getClass().getDeclaredField("anyLocalAddress");
    anyLocal.setAccessible(true);
    anyLocal.set(impl, LOOPBACK);
  }

  /** Changes the default of the bind address: the proxy's remoting server is built with the default and no way to set it. */
  private static void bindNettyServersToLoopback(ClassPool pool) throws Exception {
    CtClass config = pool.get(SERVER_CONFIG);
    // Before 5.0 every server binds the wildcard address.
    if (Arrays.stream(config.getDeclaredFields()).noneMatch(field -> field.getName().equals("bindAddress"))) return;
    for (CtConstructor constructor : config.getDeclaredConstructors()) {
      constructor.insertAfter("this.bindAddress = \"" + LOOPBACK.getHostAddress() + "\";");
    }
    define(config, NEIGHBOUR);
  }

  /**
   * A broker registers once at its start with those name servers that it could connect to by then, and again after 10 s. It
   * looks at them in the background only, so one that starts fast finds none: it asks all of them then.
   */
  private static void registerBeforeNameServersWereTried(ClassPool pool) throws Exception {
    CtClass client = pool.get(CLIENT);
    for (CtMethod method : client.getDeclaredMethods("getAvailableNameSrvList")) {
      method.insertAfter("if ($_.isEmpty() && getNameServerAddressList() != null) $_ = getNameServerAddressList();");
      define(client, NEIGHBOUR);
    }
  }

  /**
   * The gRPC server makes a certificate at each start, which takes half of it, even where it takes no TLS. Its plain connections need a
   * context of TLS that is there, and nothing of it.
   */
  private static void makeNoCertificateWithoutTls(ClassPool pool) throws Exception {
    CtClass negotiator = pool.get(NEGOTIATOR);
    String grpc = "io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts";
    String ssl = "io.grpc.netty.shaded.io.netty.handler.ssl";
    negotiator
        .getDeclaredMethod("loadSslContext")
        .setBody(
            "sslContext = " + grpc + ".configure(" + ssl + ".SslContextBuilder.forClient(), " + ssl + ".SslProvider.JDK)"
                + ".trustManager(" + ssl + ".util.InsecureTrustManagerFactory.INSTANCE).build();");
    define(negotiator, GRPC_NEIGHBOUR);
  }

  private static void define(CtClass changed, String neighbour) throws Exception {
    Class<?> near = Class.forName(neighbour, false, LoopbackMain.class.getClassLoader());
    MethodHandles.privateLookupIn(near, MethodHandles.lookup()).defineClass(changed.toBytecode());
  }

  /**
   * RocketMQ ends its event threads one after the other and waits up to 3 s for each to look up from an empty queue. They
   * hold nothing that an interrupt could harm, so they are woken: an orderly end takes seconds less.
   */
  private static void endIdleEventThreads() {
    Set<Thread.State> idle = Set.of(Thread.State.TIMED_WAITING, Thread.State.WAITING);
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (System.nanoTime() < deadline) {
      boolean isOneAlive = false;
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (!thread.getName().contains("NettyEventExecutor")) continue;
        isOneAlive = true;
        if (idle.contains(thread.getState())) thread.interrupt();
      }
      if (!isOneAlive) return;
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        return;
      }
    }
  }
}
