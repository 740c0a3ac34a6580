using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Weft.Api.Streams;
using Weft.ApiServer.Streaming.Spdy;

namespace Weft.ApiServer.Streaming.PortForward;

/// <summary>
/// portforward.k8s.io: for each forwarded connection the client opens an error stream and a data stream with the same request id and port.
/// Both arrive, the pod's port is dialled; a failure goes to the error stream as text.
/// </summary>
internal sealed class SpdyPortForward(IPodStreams streams, PodStreamTarget target, TimeProvider time)
{
    public const string Protocol = "portforward.k8s.io";

    // kubelet's stream creation timeout: the second stream of a pair comes at once or not at all.
    private static readonly TimeSpan PairTimeout = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, Half> _waiting = [];
    private readonly ConcurrentDictionary<Task, bool> _running = new();

    /// <summary>Runs until the client closes; then every forwarded connection is closed.</summary>
    public async Task RunAsync(Stream transport, CancellationToken cancellationToken)
    {
        await using var connection = new SpdyConnection(transport, time);
        var reading = connection.RunAsync(cancellationToken);
        try
        {
            await foreach (var stream in connection.Accepted.ReadAllAsync(CancellationToken.None))
                await AcceptAsync(stream, connection.Closed);
            await reading;
        }
        catch (SpdyException)
        {
            // Broke the protocol; it was told so, and the connection is closed.
        }
        finally
        {
            await Task.WhenAll(_running.Keys);
        }
    }

    private async Task AcceptAsync(SpdyStream stream, CancellationToken closed)
    {
        try
        {
            var type = stream.Headers["streamtype"];
            if (type is not ("error" or "data") || !int.TryParse(stream.Headers["port"], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            {
                await stream.ResetAsync(SpdyReset.ProtocolError, closed);
                return;
            }

            // Clients before request ids open the error stream first and the data stream next: their ids tell the pair.
            var id = stream.Headers["requestid"] ?? (type == "error" ? stream.Id : stream.Id - 2).ToString(CultureInfo.InvariantCulture);
            ForgetLatecomers();
            await stream.AcceptAsync(closed);
            if (!_waiting.Remove(id, out var half))
            {
                _waiting[id] = new Half(stream, type, port, time.GetTimestamp());
                return;
            }

            if (half.Type == type || half.Port != port)
            {
                await stream.ResetAsync(SpdyReset.ProtocolError, closed);
                await half.Stream.ResetAsync(SpdyReset.ProtocolError, closed);
                return;
            }

            Start(type == "data" ? stream : half.Stream, type == "error" ? stream : half.Stream, port, closed);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The connection has ended.
        }
    }

    // A half without its partner is forgotten when others come; their number is bounded by that of open streams.
    private void ForgetLatecomers()
    {
        foreach (var (id, half) in _waiting)
        {
            if (time.GetElapsedTime(half.Since) < PairTimeout)
                continue;
            _waiting.Remove(id);
            _ = half.Stream.ResetAsync(SpdyReset.Cancel, CancellationToken.None).ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    private void Start(SpdyStream data, SpdyStream error, int port, CancellationToken closed)
    {
        var task = ForwardAsync(data, error, port, closed);
        _running[task] = true;
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task ForwardAsync(SpdyStream data, SpdyStream error, int port, CancellationToken closed)
    {
        // Off the loop that accepts streams.
        await Task.Yield();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(closed, data.Aborted);
        try
        {
            var failure = await PortForwardPump.RunAsync(streams, target, port, data, () => data.CompleteWritesAsync(closed), time, stop.Token);
            if (failure is not null)
                await error.WriteAsync(Encoding.UTF8.GetBytes(failure), closed);
            await data.CompleteWritesAsync(closed);
            await error.CompleteWritesAsync(closed);
            // A client that does not close its side would keep the streams, of which a connection may have so many.
            if (!data.HasEnded)
                await data.ResetAsync(SpdyReset.Cancel, closed);
            if (!error.HasEnded)
                await error.ResetAsync(SpdyReset.Cancel, closed);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone.
        }
        finally
        {
            await data.DisposeAsync();
            await error.DisposeAsync();
        }
    }

    private sealed record Half(SpdyStream Stream, string Type, int Port, long Since);
}
