namespace Weft.Api.Streams;

/// <summary>
/// What the API server asks of the node that runs a pod: logs, exec, attach and port-forward. The bytes are plain streams here; SPDY and WebSocket
/// framing is the API server's. Implemented by the node agent; in one process it is called directly.
/// </summary>
public interface IPodStreams
{
    /// <summary>Copies the log of a container to <paramref name="output"/>. With `Follow` it returns when the container has ended and all is written, or when cancelled.</summary>
    /// <exception cref="PodStreamException">No such pod or container, or it has not started.</exception>
    Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken);

    /// <summary>Runs a command in a running container; returns its exit code.</summary>
    /// <exception cref="PodStreamException">No such container, it does not run, or the command could not start.</exception>
    Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken);

    /// <summary>Connects to the main process of a running container; returns when it ends or the streams close.</summary>
    Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken);

    /// <summary>Opens a TCP connection to the port inside the pod's network namespace (127.0.0.1 there).</summary>
    /// <exception cref="PodStreamException">Nothing listens there.</exception>
    Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken);

    /// <summary>What the node and its containers use. A node that measures nothing (a simulated one) says so by an empty answer.</summary>
    /// <exception cref="PodStreamException">The node cannot be asked now.</exception>
    Task<NodeUsage> UsageAsync(string node, CancellationToken cancellationToken) => Task.FromResult(NodeUsage.Nothing);

    /// <summary>Asks the node's proxy about requests, and copies its answer, lines of JSON, until the proxy ends it or it is cancelled.</summary>
    /// <param name="question">One line of JSON, which is the proxy's to understand.</param>
    /// <exception cref="PodStreamException">The node has no proxy of a mesh, or cannot be asked now.</exception>
    Task InspectAsync(string node, string question, Stream output, CancellationToken cancellationToken) =>
        throw new PodStreamException(PodStreamError.NotRunning, "the node has no proxy of a mesh");
}

/// <param name="Container">Never empty: the API server has chosen the default one.</param>
public sealed record PodStreamTarget(string Namespace, string Pod, string PodUid, string Container);

/// <summary>The ends that the client asked for. Input ends with end-of-file. With a terminal there is no separate error stream.</summary>
/// <param name="Resize">Terminal sizes as the client reports them; null without a terminal.</param>
public sealed record ContainerStreams(
    Stream? Input, Stream? Output, Stream? Error, bool Terminal, IAsyncEnumerable<TerminalSize>? Resize);

public readonly record struct TerminalSize(ushort Width, ushort Height);

public sealed record LogOptions
{
    public bool Follow { get; init; }

    /// <summary>The log of the container's previous run.</summary>
    public bool Previous { get; init; }
    public bool Timestamps { get; init; }
    public DateTimeOffset? Since { get; init; }

    /// <summary>Last lines to begin with; null for all.</summary>
    public long? TailLines { get; init; }
    public long? LimitBytes { get; init; }
}

public enum PodStreamError { PodNotFound, ContainerNotFound, NotRunning, StartFailed, ConnectFailed }

public sealed class PodStreamException(PodStreamError error, string message) : Exception(message)
{
    public PodStreamError Error => error;
}
