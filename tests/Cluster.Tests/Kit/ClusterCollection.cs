namespace Weft.Cluster.Tests.Kit;

/// <summary>One cluster for the tests that leave it as it was: each works in a namespace of its own.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterCollection : ICollectionFixture<WeftCluster>
{
    public const string Name = "one cluster";
}
