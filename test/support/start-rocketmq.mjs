export default function noCluster() {}
