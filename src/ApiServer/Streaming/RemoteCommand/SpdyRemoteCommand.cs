using Weft.ApiServer.Streaming.Spdy;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>
/// Exec and attach over SPDY: the client opens one stream for each end, named by the header `streamtype`, and the server starts when all are there.
/// Versions (X-Stream-Protocol-Version): v1 to v3 report errors as text, v3 adds the resize stream, v4 the Status with the exit code.
/// </summary>
internal sealed class SpdyRemoteCommand : RemoteCommandChannels
{
    /// <summary>As the server likes them best.</summary>
    public static readonly IReadOnlyList<string> Protocols = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

    // kubelet's stream creation timeout.
    private static readonly TimeSpan CreationTimeout = TimeSpan.FromSeconds(30);

    private readonly SpdyConnection _connection;
    private readonly Task _running;
    private readonly TimeProvider _time;
    private readonly string _protocol;
    private readonly IReadOnlyDictionary<string, SpdyStream> _streams;

    private SpdyRemoteCommand(SpdyConnection connection, Task running, TimeProvider time, string protocol, IReadOnlyDictionary<string, SpdyStream> streams)
    {
        _connection = connection;
        _running = running;
        _time = time;
        _protocol = protocol;
        _streams = streams;
        Input = streams.GetValueOrDefault("stdin");
        Output = streams.GetValueOrDefault("stdout");
        Error = streams.GetValueOrDefault("stderr");
        if (streams.TryGetValue("resize", out var resize))
            Resize = TerminalSizes.ReadAsync(resize);
    }

    public override CancellationToken ClientGone => _connection.Closed;

    /// <summary>Null when the client has gone, or did not open its streams in time.</summary>
    public static async Task<SpdyRemoteCommand?> OpenAsync(Stream transport, RemoteCommandOptions options, string protocol, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = new SpdyConnection(transport, time);
        var running = connection.RunAsync(cancellationToken);
        try
        {
            var expected = Expected(options, protocol);
            var streams = new Dictionary<string, SpdyStream>();
            using var late = new CancellationTokenSource(CreationTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, connection.Closed);
            while (streams.Count < expected.Count)
            {
                var stream = await connection.Accepted.ReadAsync(either.Token);
                var type = stream.Headers["streamtype"] ?? "";
                if (expected.Contains(type) && streams.TryAdd(type, stream))
                    await stream.AcceptAsync(either.Token);
                else
                    await stream.ResetAsync(SpdyReset.RefusedStream, either.Token);
            }

            return new SpdyRemoteCommand(connection, running, time, protocol, streams);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Threading.Channels.ChannelClosedException)
        {
            await CloseAsync(connection, running);
            return null;
        }
    }

    public override async Task FinishAsync(RemoteCommandOutcome outcome)
    {
        try
        {
            // Output first: a client that has the outcome may close. What still comes in is dropped.
            foreach (var type in new[] { "stdout", "stderr", "error", "stdin", "resize" })
            {
                if (!_streams.TryGetValue(type, out var stream))
                    continue;
                if (type == "error")
                    await stream.WriteAsync(_protocol == Protocols[0] ? outcome.AsStatus() : outcome.AsText(), _connection.Closed);
                await stream.CompleteWritesAsync(_connection.Closed);
                await stream.DisposeAsync();
            }

            await _connection.GoAwayAsync();
            await _running.WaitAsync(Goodbye, _time);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
        {
            // The client did not wait for the outcome, or does not close: either way it is over.
        }
    }

    public override async ValueTask DisposeAsync() => await CloseAsync(_connection, _running);

    private static HashSet<string> Expected(RemoteCommandOptions options, string protocol)
    {
        var expected = new HashSet<string> { "error" };
        if (options.Input)
            expected.Add("stdin");
        if (options.Output)
            expected.Add("stdout");
        if (options.Error)
            expected.Add("stderr");
        if (options.Terminal && protocol is ("v4.channel.k8s.io" or "v3.channel.k8s.io"))
            expected.Add("resize");
        return expected;
    }

    private static async Task CloseAsync(SpdyConnection connection, Task running)
    {
        await connection.DisposeAsync();
        try
        {
            await running;
        }
        catch (SpdyException)
        {
            // Broke the protocol; it was told so, and the connection is closed.
        }
    }
}
