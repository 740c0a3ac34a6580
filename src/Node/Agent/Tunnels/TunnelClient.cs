using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;

namespace Weft.Node.Agent.Tunnels;

/// <summary>
/// The agent's end of streams: dials the API server, waits for orders, and dials again for each. A lost connection is dialled anew; streams that have
/// their own connection go on meanwhile.
/// </summary>
public sealed partial class TunnelClient(Uri server, SocketsHttpHandler handler, IPodStreams streams, TimeProvider time, ILogger<TunnelClient> logger) : IAsyncDisposable
{
    private const int MaxStreams = 1000;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(10);

    private readonly HttpMessageInvoker _http = new(handler);
    private readonly ConcurrentDictionary<string, (CancellationTokenSource Stop, Task Running)> _running = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <summary>Ends when the first connection stands.</summary>
    public Task Connected => _connected.Task;

    public void Start() => _loop = RunAsync();

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var socket = await DialAsync(TunnelPaths.Orders);
                _connected.TrySetResult();
                pause = FirstPause;
                await TakeOrdersAsync(socket);
                Log.Lost(logger, "the server has closed it");
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception broken) when (broken is IOException or WebSocketException or HttpRequestException or OperationCanceledException)
            {
                // Also cancelled by nobody here: a WebSocket whose pings are not answered ends so, and a server that stands still takes connections that it never answers.
                Log.Lost(logger, broken.Message);
            }

            await Task.Delay(pause, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task TakeOrdersAsync(TunnelSocket socket)
    {
        var buffer = new byte[TunnelSocket.MaxText];
        while (await socket.ReceiveAsync(buffer, _stop.Token) is { } message)
        {
            TunnelOrder order;
            try
            {
                order = JsonSerializer.Deserialize(message.Span, TunnelJson.Default.TunnelOrder)!;
            }
            catch (JsonException unknown)
            {
                // A newer server's order: it is not dialled for, and the server's patience ends.
                Log.NotUnderstood(logger, unknown.Message);
                continue;
            }

            if (order.Kind == TunnelKind.Cancel)
            {
                if (_running.TryGetValue(order.Id, out var stopped))
                    await stopped.Stop.CancelAsync();
            }
            else if (_running.Count < MaxStreams)
            {
                var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var task = ServeAsync(order, start.Task, stop);
                _running[order.Id] = (stop, task);
                start.SetResult();
            }
            else
            {
                Log.Full(logger, MaxStreams);
            }
        }
    }

    private async Task ServeAsync(TunnelOrder order, Task start, CancellationTokenSource stop)
    {
        await start; // it is in the list before it can be over
        try
        {
            using var socket = await DialAsync(TunnelPaths.Stream(order.Id));
            await new TunnelServing(order, socket, streams).RunAsync(stop);
        }
        catch (Exception gone) when (gone is IOException or WebSocketException or HttpRequestException or OperationCanceledException)
        {
            // The client or the server is gone: there is nobody to tell.
            Log.StreamEnded(logger, order.Kind, gone.Message);
        }
        catch (Exception failed) when (failed is not OutOfMemoryException)
        {
            // One stream that breaks must not end the agent.
            Log.StreamFailed(logger, failed, order.Kind);
        }
        finally
        {
            _running.TryRemove(order.Id, out _);
            stop.Dispose();
        }
    }

    private async Task<TunnelSocket> DialAsync(string path)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(10);
            // A server whose machine vanished answers no ping: found in half a minute, not by TCP's quarter of an hour.
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(20);
            var uri = new UriBuilder(new Uri(server, path)) { Scheme = server.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri;
            using var patience = new CancellationTokenSource(DialPatience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
            await socket.ConnectAsync(uri, _http, either.Token);
            return new TunnelSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_running.Values.Select(stream => stream.Running));
        _http.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The connection for streams is gone and is dialled again: {Cause}", EventName = nameof(Lost))]
        public static partial void Lost(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Warning, "An order of the server is not understood: {Cause}", EventName = nameof(NotUnderstood))]
        public static partial void NotUnderstood(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Warning, "{Most} streams are open: another is refused", EventName = nameof(Full))]
        public static partial void Full(ILogger logger, int most);

        [LoggerMessage(LogLevel.Debug, "A stream of kind {Kind} ended early: {Cause}", EventName = nameof(StreamEnded))]
        public static partial void StreamEnded(ILogger logger, TunnelKind kind, string cause);

        [LoggerMessage(LogLevel.Error, "A stream of kind {Kind} failed", EventName = nameof(StreamFailed))]
        public static partial void StreamFailed(ILogger logger, Exception failure, TunnelKind kind);
    }
}
