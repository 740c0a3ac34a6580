namespace Weft.Cluster.Tests.Kit;

/// <summary>A cluster of two nodes in a network of its own, with the images that the tests' manifests name in its registry.</summary>
public sealed class ContainerCluster : IAsyncLifetime
{
    private static readonly string[] Images = ["busybox", "nginx", "my-app", "echo"];

    private readonly NetworkSandbox _sandbox = new();

    public ContainerCluster() => Cluster = new WeftCluster(_sandbox, "--nodes", "2");

    internal WeftCluster Cluster { get; }

    public async ValueTask InitializeAsync()
    {
        (await Shell.RunAsync(Path.Combine(WeftCluster.Checkout, "images", "build"), Images)).Succeeded();
        await _sandbox.CreateAsync();
        await Cluster.InitializeAsync();
        (await Cluster.WeftAsync(["image", "load", .. Images.Select(image => Path.Combine(WeftCluster.Checkout, "images", "out", image + ".tar"))])).Succeeded();
    }

    internal Task<CommandResult> KubectlAsync(params string[] arguments) => Cluster.KubectlAsync(arguments);

    internal Task<CommandResult> InputAsync(string input, params string[] arguments) => Cluster.RunKubectlAsync(WeftCluster.Kubectls[0], input, arguments);

    /// <summary>A program on the machine itself, as a user at its terminal would run it.</summary>
    internal Task<CommandResult> OnHostAsync(string program, params string[] arguments) => Cluster.RunAsync(program, arguments);

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await _sandbox.DisposeAsync();
    }
}

/// <summary>One such cluster for all tests of ordinary manifests: each works in a namespace of its own.</summary>
[CollectionDefinition(Name)]
public sealed class ContainerClusterCollection : ICollectionFixture<ContainerCluster>
{
    public const string Name = "one cluster of containers";
}
