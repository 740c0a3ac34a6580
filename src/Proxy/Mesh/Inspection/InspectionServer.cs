using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Inspection;

/// <summary>What is asked here is answered by these; nothing of it changes anything.</summary>
internal sealed record InspectionParts(string Node, RequestJournal Journal, Action<TextWriter> WriteMetrics, Func<ExplainQuestion, Explanation> Explain);

/// <summary>Answers the node's agent about requests, metrics and decisions; off the loops, a connection for each question.</summary>
internal sealed partial class InspectionServer : IAsyncDisposable
{
    // Beside the taps (RequestJournal.MostTaps): questions take milliseconds.
    private const int MostConnections = 64;

    private const uint Root = 0;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // An agent asks at once; a reader that takes nothing for so long has gone.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), ReaderPatience = TimeSpan.FromMinutes(1);

    // A tap without requests says so, by an empty line: else nobody would notice that its reader has gone.
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly InspectionParts _parts;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MostConnections);
    private readonly Task _accepting;

    /// <param name="listener">Handed over by the supervisor, which keeps it for the next proxy: it is not closed here.</param>
    public InspectionServer(Socket listener, InspectionParts parts, TimeProvider time, ILogger<InspectionServer> logger)
    {
        (_listener, _parts, _time, _logger) = (listener, parts, time, logger);
        _accepting = Task.Run(AcceptAsync);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_stop.Token);
                _ = ServeAsync(await AcceptOneAsync());
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed) when (failed is SocketException or ObjectDisposedException)
            {
                Log.NotAccepted(_logger, failed.Message);
                await Task.Delay(Pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<Socket> AcceptOneAsync()
    {
        try
        {
            return await _listener.AcceptAsync(_stop.Token);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    /// <summary>Does not fail.</summary>
    private async Task ServeAsync(Socket connection)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            if (RegistrationServer.PeerUser(connection) != Root)
                return;
            await AnswerAsync(await ReadAsync(stream), stream);
            connection.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Whoever asked has gone, or the proxy ends.
        }
        catch (Exception defect)
        {
            Log.Failed(_logger, defect);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<InspectionOrder?> ReadAsync(NetworkStream stream)
    {
        using var patience = Limited(Patience);
        var buffer = new byte[4096];
        var length = 0;
        while (buffer.AsSpan(0, length).IndexOf((byte)'\n') < 0)
        {
            if (length == InspectionOrder.LongestLine)
                return null;
            if (length == buffer.Length)
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, InspectionOrder.LongestLine));
            var read = await stream.ReadAsync(buffer.AsMemory(length), patience.Token);
            if (read == 0)
                return null;
            length += read;
        }

        try
        {
            return JsonSerializer.Deserialize(buffer.AsSpan(0, buffer.AsSpan(0, length).IndexOf((byte)'\n')), InspectionJson.Default.InspectionOrder);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task AnswerAsync(InspectionOrder? order, NetworkStream stream)
    {
        var filter = order?.Filter ?? new RequestFilter();
        switch (order?.Do)
        {
            case "tap" or "records" when filter.Problem() is { } problem:
                await SendAsync(stream, new() { Error = problem });
                break;
            case "tap":
                await TapAsync(filter, stream);
                break;
            case "records":
                foreach (var request in _parts.Journal.Recent(filter, Math.Clamp(order.Limit, 1, RequestJournal.Capacity)))
                    await SendAsync(stream, new() { Request = request });
                break;
            case "metrics":
                using (var text = new StringWriter { NewLine = "\n" })
                {
                    _parts.WriteMetrics(text);
                    await SendAsync(stream, new() { Metrics = text.ToString() });
                }

                break;
            case "explain" when order.Question is { } question:
                await SendAsync(stream, new() { Explanation = _parts.Explain(question) });
                break;
            default:
                await SendAsync(stream, new() { Error = "this proxy does not know the question" });
                break;
        }
    }

    private async Task TapAsync(RequestFilter filter, NetworkStream stream)
    {
        if (_parts.Journal.Watch(filter) is not { } tap)
        {
            await SendAsync(stream, new() { Error = $"{RequestJournal.MostTaps} watch the requests of this node already; try again when one of them has ended" });
            return;
        }

        try
        {
            // Told at once, so that whoever waits for it knows that it misses nothing from here on.
            await SendAsync(stream, new());
            while (true)
            {
                using var beat = Limited(Beat);
                try
                {
                    if (!await tap.Requests.WaitToReadAsync(beat.Token))
                        return;
                }
                catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
                {
                    await SendAsync(stream, new());
                }

                while (tap.Requests.TryRead(out var request))
                    await SendAsync(stream, new() { Request = request });
                if (tap.TakeDropped() is > 0 and var dropped)
                    await SendAsync(stream, new() { Dropped = dropped });
            }
        }
        finally
        {
            _parts.Journal.End(tap);
        }
    }

    private async Task SendAsync(NetworkStream stream, InspectionLine line)
    {
        using var patience = Limited(ReaderPatience);
        byte[] bytes = [.. JsonSerializer.SerializeToUtf8Bytes(line with { Node = _parts.Node }, InspectionJson.Lines.InspectionLine), (byte)'\n'];
        await stream.WriteAsync(bytes, patience.Token);
    }

    private Limit Limited(TimeSpan most)
    {
        var limited = new CancellationTokenSource(most, _time);
        return new Limit(limited, CancellationTokenSource.CreateLinkedTokenSource(limited.Token, _stop.Token));
    }

    private readonly record struct Limit(CancellationTokenSource Time, CancellationTokenSource Both) : IDisposable
    {
        public CancellationToken Token => Both.Token;

        public void Dispose()
        {
            Both.Dispose();
            Time.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "a question about requests was not accepted: {Reason}", EventName = nameof(NotAccepted))]
        public static partial void NotAccepted(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Error, "a question about requests failed", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
