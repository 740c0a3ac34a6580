using Weft.Api.Streams;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>The streams of one exec or attach, whatever they are framed in.</summary>
internal abstract class RemoteCommandChannels : IAsyncDisposable
{
    // A client that has all output closes at once; one that never does is not waited for.
    protected static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(5);

    public Stream? Input { get; protected init; }
    public Stream? Output { get; protected init; }
    public Stream? Error { get; protected init; }
    public IAsyncEnumerable<TerminalSize>? Resize { get; protected init; }

    /// <summary>Cancelled when the client is gone: nobody is left to run the command for.</summary>
    public abstract CancellationToken ClientGone { get; }

    /// <summary>Ends the output, tells the outcome, and waits until the client has closed, so that it has read everything.</summary>
    public abstract Task FinishAsync(RemoteCommandOutcome outcome);

    public abstract ValueTask DisposeAsync();
}
