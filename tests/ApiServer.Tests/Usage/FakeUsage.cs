using System.Collections.Concurrent;
using Weft.Api.Streams;

namespace Weft.ApiServer.Tests.Usage;

/// <summary>Nodes that say what the test has them say; the others are away.</summary>
internal sealed class FakeUsage : IPodStreams
{
    private readonly ConcurrentDictionary<string, NodeUsage> _usage = new();
    private int _asked;

    public int Asked => Volatile.Read(ref _asked);

    public NodeUsage this[string node]
    {
        set => _usage[node] = value;
    }

    public void Remove(string node) => _usage.TryRemove(node, out _);

    public Task<NodeUsage> UsageAsync(string node, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        return _usage.TryGetValue(node, out var usage) ? Task.FromResult(usage) : throw new PodStreamException(PodStreamError.NotRunning, $"node {node} is not connected");
    }

    public Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken) => throw new NotSupportedException();
}
