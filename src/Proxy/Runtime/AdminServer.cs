using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Weft.Proxy.Runtime;

/// <summary>
/// What operators ask: `/metrics`, `/healthz`, `/ready`. A few requests a minute from loopback, so plain sockets off the loops do, one request for each connection.
/// </summary>
public sealed partial class AdminServer : IAsyncDisposable
{
    private const int MaxHead = 8 << 10, LevelIp = 0, FreeBind = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly Socket _socket;
    private readonly Func<string, (int Status, string ContentType, string Body)> _answer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private AdminServer(Socket socket, Func<string, (int Status, string ContentType, string Body)> answer, TimeProvider time, ILogger logger)
    {
        (_socket, _answer, _time, _logger) = (socket, answer, time, logger);
        _accepting = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <param name="answer">From a path without its query to what is answered; 404 for what is not there.</param>
    /// <param name="comes">The machine may get the address later (ip(7), IP_FREEBIND).</param>
    /// <exception cref="ProxyConfigException">The address cannot be had.</exception>
    public static AdminServer Start(IPEndPoint address, Func<string, (int Status, string ContentType, string Body)> answer, TimeProvider time, ILogger<AdminServer> logger, bool comes = false)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (comes)
                socket.SetRawSocketOption(LevelIp, FreeBind, BitConverter.GetBytes(1));
            socket.Bind(address);
            socket.Listen();
            return new AdminServer(socket, answer, time, logger);
        }
        catch (SocketException failed)
        {
            socket.Dispose();
            throw new ProxyConfigException([$"admin: {address} cannot be listened on: {failed.Message}"]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    _ = ServeAsync(await _socket.AcceptAsync(_stop.Token));
                }
                catch (SocketException full) when (!_stop.IsCancellationRequested)
                {
                    // No descriptor, or a connection that went before it was taken: whoever asks for health under load must find somebody afterwards.
                    Log.NotAccepted(_logger, full.Message);
                    await Task.Delay(Pause, _time, _stop.Token);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // the end
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
        using (client)
        {
            try
            {
                var head = await ReadHeadAsync(client, either.Token);
                var (status, type, body) = Answer(head);
                var bytes = Encoding.UTF8.GetBytes(body);
                var start = Encoding.ASCII.GetBytes($"HTTP/1.1 {status} {(HttpStatusCode)status}\r\nContent-Type: {type}\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n\r\n");
                await client.SendAsync(start, either.Token);
                await client.SendAsync(bytes, either.Token);
                client.Shutdown(SocketShutdown.Both);
            }
            catch (Exception gone) when (gone is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // whoever asked went away, or was too slow
            }
            catch (Exception defect)
            {
                Log.Failed(_logger, defect);
            }
        }
    }

    private static async Task<string> ReadHeadAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHead];
        var read = 0;
        while (read < buffer.Length)
        {
            var got = await client.ReceiveAsync(buffer.AsMemory(read), cancellationToken);
            if (got == 0)
                break;
            read += got;
            if (buffer.AsSpan(0, read).IndexOf("\r\n\r\n"u8) >= 0)
                break;
        }

        return Encoding.Latin1.GetString(buffer, 0, read);
    }

    private (int Status, string ContentType, string Body) Answer(string head)
    {
        var line = head.Split("\r\n")[0].Split(' ');
        if (line is not [var method, ['/', ..] target, ['H', 'T', 'T', 'P', '/', ..]] || !head.Contains("\r\n\r\n", StringComparison.Ordinal))
            return (400, "text/plain", "bad request\n");
        return method == "GET" ? _answer(target.Split('?')[0]) : (405, "text/plain", "only GET\n");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "an admin request was not accepted: {Reason}", EventName = nameof(NotAccepted))]
        public static partial void NotAccepted(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Error, "an admin request failed", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
