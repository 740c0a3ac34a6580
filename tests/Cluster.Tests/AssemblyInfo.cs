using Weft.Cluster.Tests.Kit;

// A cluster mostly waits: for pods to start and end, for probes, for windows. Each is in a network of its own or, one at a time, in the machine's, and is looked at
// for what it alone leaves. What measures is alone (MeasuredCollection, MeasuredClusterCollection), after the others.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
