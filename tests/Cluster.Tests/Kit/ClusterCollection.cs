namespace Weft.Cluster.Tests.Kit;

/// <summary>One cluster for the tests that leave it as it was: each works in a namespace of its own.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterCollection : ICollectionFixture<WeftCluster>
{
    public const string Name = "one cluster";
}

/// <summary>The same for tests that measure: no other test runs beside.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuredClusterCollection : ICollectionFixture<WeftCluster>
{
    public const string Name = "one cluster, measured";
}

/// <summary>Tests with a cluster or a program of their own that measure.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MeasuredCollection
{
    public const string Name = "measured";
}
