using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Images.Sample;

internal sealed record Request(string Method, string Target, string Version, IReadOnlyList<(string Name, string Value)> Headers, long BodyBytes, IPEndPoint Source, IPEndPoint Destination)
{
    internal string Path => Target.Split('?', 2)[0];

    internal string? Query(string name) => Target.Split('?', 2) is [_, var query]
        ? query.Split('&').Select(pair => pair.Split('=', 2)).Where(pair => pair[0] == name && pair.Length == 2).Select(pair => Uri.UnescapeDataString(pair[1])).FirstOrDefault()
        : null;

    internal string? Header(string name) => Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();
}

internal sealed record Answer(int Status, string ContentType, string Body);

/// <summary>As much of HTTP/1.1 as a test service needs: connections that stay open, bodies of a known length (read and dropped) or in chunks (which end the connection).</summary>
internal static class HttpServer
{
    private const int MaxHead = 64 * 1024;

    internal static async Task RunAsync(int port, Func<Request, Task<Answer>> answer, CancellationToken stopping)
    {
        using var listener = Sockets.Listen(port);
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptAsync(stopping), answer, stopping);
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private static async Task ServeAsync(Socket socket, Func<Request, Task<Answer>> answer, CancellationToken stopping)
    {
        using var _ = socket;
        socket.NoDelay = true;
        var buffer = new byte[MaxHead];
        var filled = 0;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                int end;
                while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    if (filled == buffer.Length || await socket.ReceiveAsync(buffer.AsMemory(filled), stopping) is not (> 0 and var read))
                        return;
                    filled += read;
                }

                if (Parse(Encoding.Latin1.GetString(buffer, 0, end), socket) is not { } request)
                    return;
                var last = request.Version == "HTTP/1.0" || request.Header("Connection") is "close" || request.Header("Transfer-Encoding") is not null;
                if (request.Header("Expect") == "100-continue")
                    await socket.SendAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), stopping);

                // The body, and what of the next request has come with it.
                var after = end + 4;
                var rest = Math.Min(filled - after, request.BodyBytes);
                var missing = request.BodyBytes - rest;
                filled -= after + (int)rest;
                Buffer.BlockCopy(buffer, after + (int)rest, buffer, 0, filled);
                while (missing > 0)
                {
                    var part = await socket.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(missing, buffer.Length)), stopping);
                    if (part == 0)
                        return;
                    missing -= part;
                }

                await SendAsync(socket, await answer(request), request.Method == "HEAD", last, stopping);
                if (last)
                    return;
            }
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // The client has gone, or we go.
        }
    }

    private static async Task SendAsync(Socket socket, Answer answer, bool headOnly, bool last, CancellationToken stopping)
    {
        var body = Encoding.UTF8.GetBytes(answer.Body);
        var head = $"HTTP/1.1 {answer.Status} {(HttpStatusCode)answer.Status}\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\nConnection: {(last ? "close" : "keep-alive")}\r\n\r\n";
        byte[] bytes = [.. Encoding.Latin1.GetBytes(head), .. headOnly ? [] : body];
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent), stopping);
    }

    private static Request? Parse(string head, Socket socket)
    {
        var lines = head.Split("\r\n");
        if (lines[0].Split(' ') is not [var method, var target, var version])
            return null;
        var headers = lines[1..].Select(line => line.Split(':', 2)).Where(pair => pair.Length == 2).Select(pair => (pair[0].Trim(), pair[1].Trim())).ToList();
        var request = new Request(method, target, version, headers, 0, Sockets.Plain(socket.RemoteEndPoint), Sockets.Plain(socket.LocalEndPoint));
        return long.TryParse(request.Header("Content-Length") ?? "0", NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? request with { BodyBytes = length } : null;
    }
}
