import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest's Node environment with an ordinary global object. Jest's own one has a Proxy behind Node's interceptors, to free what a spec leaves.
 * Each use of `Map` or `Math` asks both: the simulation takes 2.5 times as much CPU. Node before 20.18 knows no other context.
 */
export default class PlainEnvironment extends TestEnvironment {
  constructor(...settings) {
    const { createContext } = vm;
    const plain = vm.constants?.DONT_CONTEXTIFY;
    if (plain !== undefined) vm.createContext = () => createContext(plain);
    try {
      super(...settings);
    } finally {
      vm.createContext = createContext;
    }
  }
}
