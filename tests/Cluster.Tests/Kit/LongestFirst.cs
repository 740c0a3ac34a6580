using Xunit.Sdk;
using Xunit.v3;

namespace Weft.Cluster.Tests.Kit;

/// <summary>The shared clusters, each with many classes, begin before the classes with a cluster of their own: so that the end does not wait for one of them.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Shared = [ClusterCollection.Name, ChangingMeshCollection.Name, ContainerClusterCollection.Name, MeshClusterCollection.Name];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.IndexOf(Shared, collection.TestCollectionDisplayName) is var place and >= 0 ? place : Shared.Length).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];
}
