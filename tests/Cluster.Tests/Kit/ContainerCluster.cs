namespace Weft.Cluster.Tests.Kit;

/// <summary>A cluster of two nodes in a network of its own, with the images that the tests' manifests name in its registry.</summary>
public class ContainerCluster : NetworkCluster
{
    private static readonly string[] Images = ["busybox", "nginx", "my-app", "echo"];

    protected override IReadOnlyList<string> UpArguments => ["--nodes", "2"];

    public override async ValueTask InitializeAsync()
    {
        (await Shell.RunAsync(Path.Combine(Checkout, "images", "build"), Images)).Succeeded();
        await base.InitializeAsync();
        (await WeftAsync(["image", "load", .. Images.Select(image => Path.Combine(Checkout, "images", "out", image + ".tar"))])).Succeeded();
    }

    internal Task<CommandResult> InputAsync(string input, params string[] arguments) => RunKubectlAsync(Kubectls[0], input, arguments);
}

/// <summary>One such cluster for all tests of ordinary manifests: each works in a namespace of its own.</summary>
[CollectionDefinition(Name)]
public sealed class ContainerClusterCollection : ICollectionFixture<ContainerCluster>
{
    public const string Name = "one cluster of containers";
}

/// <summary>The same with a mesh.</summary>
public sealed class MeshCluster : ContainerCluster
{
    protected override IReadOnlyList<string> UpArguments => ["--nodes", "2", "--mesh", "on"];
}

/// <summary>One such cluster for the tests of the mesh's rules, of what it shows, and of the front door.</summary>
[CollectionDefinition(Name)]
public sealed class MeshClusterCollection : ICollectionFixture<MeshCluster>
{
    public const string Name = "one cluster with a mesh";
}

/// <summary>Another, beside it, for the tests of a mesh whose endpoints fail, move, come and go, which wait the longest.</summary>
[CollectionDefinition(Name)]
public sealed class ChangingMeshCollection : ICollectionFixture<MeshCluster>
{
    public const string Name = "one cluster with a mesh that changes";
}
