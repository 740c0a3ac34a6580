using Weft.Api.Streams;

namespace Weft.Host.Server;

/// <summary>The API server is there before the node agent, which needs it; until the agent is, a pod's streams are refused.</summary>
internal sealed class LateStreams : IPodStreams
{
    private IPodStreams? _node;

    internal void Connect(IPodStreams node) => Volatile.Write(ref _node, node);

    private IPodStreams Node => Volatile.Read(ref _node) ?? throw new PodStreamException(PodStreamError.NotRunning, "the node agent is still starting; try again");

    public Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken) =>
        Node.LogsAsync(target, options, output, cancellationToken);

    public Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) =>
        Node.ExecAsync(target, command, streams, cancellationToken);

    public Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken) =>
        Node.AttachAsync(target, streams, cancellationToken);

    public Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken) =>
        Node.ConnectAsync(target, port, cancellationToken);

    public Task<NodeUsage> UsageAsync(string node, CancellationToken cancellationToken) => Node.UsageAsync(node, cancellationToken);

    public Task InspectAsync(string node, string question, Stream output, CancellationToken cancellationToken) => Node.InspectAsync(node, question, output, cancellationToken);
}
