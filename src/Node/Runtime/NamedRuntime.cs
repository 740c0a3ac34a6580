using System.Threading.Channels;
using Weft.Api.Streams;

namespace Weft.Node.Runtime;

/// <summary>A runtime whose ids carry its name, as a status shows them (`containerd://ID`): so an id alone says which runtime it belongs to.</summary>
internal sealed class NamedRuntime(IPodRuntime inner) : IPodRuntime
{
    private readonly string _prefix = inner.Name + "://";

    public string Name => inner.Name;
    public ChannelReader<string> Events => inner.Events;

    /// <summary>The id as the runtime itself knows it, and with it the machine: cgroups are named so.</summary>
    public static string Unnamed(string id) => id.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? id[(at + 3)..] : id;

    public bool Owns(string id) => id.StartsWith(_prefix, StringComparison.Ordinal);

    public async Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken)
    {
        var all = await inner.ListAsync(cancellationToken);
        return new([.. all.Sandboxes.Select(Outer)], [.. all.Containers.Select(Outer)]);
    }

    public async Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken) => Outer(await inner.CreateSandboxAsync(spec, cancellationToken));

    public Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken) => inner.StopSandboxAsync(Inner(sandboxId), cancellationToken);

    public Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken) => inner.RemoveSandboxAsync(Inner(sandboxId), cancellationToken);

    public async Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var target = spec.ProcessNamespaceOf is { } of ? spec with { ProcessNamespaceOf = Inner(of) } : spec;
        return Outer(await inner.CreateContainerAsync(Inner(sandboxId), target, cancellationToken));
    }

    public async Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken) =>
        Outer(await inner.StartContainerAsync(Inner(containerId), cancellationToken));

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken) => inner.StopContainerAsync(Inner(containerId), grace, cancellationToken);

    public Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken) => inner.RemoveContainerAsync(Inner(containerId), cancellationToken);

    public Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) =>
        inner.ExecAsync(Inner(containerId), command, streams, cancellationToken);

    public Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken) => inner.AttachAsync(Inner(containerId), streams, cancellationToken);

    public Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken) => inner.ConnectAsync(Inner(sandboxId), port, cancellationToken);

    public Task<long> WrittenBytesAsync(string containerId, CancellationToken cancellationToken) => inner.WrittenBytesAsync(Inner(containerId), cancellationToken);

    public Task ReopenLogAsync(string containerId, CancellationToken cancellationToken) => inner.ReopenLogAsync(Inner(containerId), cancellationToken);

    private SandboxInfo Outer(SandboxInfo sandbox) => sandbox with { Id = _prefix + sandbox.Id };

    private ContainerInfo Outer(ContainerInfo container) => container with { Id = _prefix + container.Id, SandboxId = _prefix + container.SandboxId };

    private string Inner(string id) => Owns(id) ? id[_prefix.Length..] : throw new RuntimeException(RuntimeError.NotFound, $"{id} is not of the runtime {Name}");
}
