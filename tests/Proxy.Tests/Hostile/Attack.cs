using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>One way of costing more than one pays.</summary>
/// <param name="Connections">At once; each is made anew when the proxy cuts it.</param>
/// <param name="BytesEach">What a connection of it may make the proxy keep, from the limits of the codecs.</param>
/// <param name="IsCut">The proxy ends such connections by itself while it lasts.</param>
/// <param name="Run">Sends on a new connection until it is cut or told to stop.</param>
internal sealed record Attack(string Name, int Connections, int BytesEach, bool IsCut, Func<Socket, CancellationToken, Task> Run)
{
    /// <summary>Of heads and frames; short where that is what cuts.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);

    // Input up to 128 KB that is not consumed yet, output up to 512 KB that is not read, both in buffers of powers of two.
    private const int Codec = 2 << 20;

    // Of a stream that is not read: 64 KB and a read of 64 KB in its queue, as much again in the endpoint's connection.
    private const int Stream = 256 << 10;

    public static readonly Attack[] All =
    [
        Frames("rapid reset", id => [.. Frame.Headers(id, true, Frame.Get), .. Frame.Reset(id)]),
        Frames("rapid reset of bodies", id => [.. Frame.Headers(id, false, Frame.Post), .. Frame.Data(id, false, "x"), .. Frame.Reset(id)]),
        Frames("made you reset", id => [.. Frame.Headers(id, true, Frame.Get), .. Frame.WindowUpdate(id, 0)]),
        Frames("settings", id => Frame.Settings((4, (uint)id))),
        Frames("ping", _ => Frame.Ping()),
        Frames("empty DATA", id => id == 1 ? Frame.Headers(1, false, Frame.Post) : Frame.Data(1, false, "")),
        Frames("continuation", id => id == 1 ? Frame.Raw(1, 1, 1, Frame.Block(Frame.Get)) : Frame.Raw(9, 0, 1, 0)),
        Frames("header bomb", id => id == 1 ? Frame.Raw(1, 5, 1, Large()) : Frame.Raw(1, 5, id, Bomb())),
        Frames("priority", id => Frame.Raw(2, 0, id, new byte[5])),
        new("window of nothing", 4, 130 * Stream, false, WindowOfNothingAsync),
        new("pipelining without reading", 8, Codec, false, PipelineAsync),
        new("large answers that are not read", 60, 2 * Stream, false, NotReadAsync),
        new("heads byte by byte", 300, 16 << 10, true, (socket, stop) => DribbleAsync(socket, "GET / HTTP/1.1\r\nHost: h\r\nX: " + new string('x', 5000), stop)) { HeaderTimeout = Short },
        new("bodies byte by byte", 300, 64 << 10, false, BodyAsync),
        new("frames byte by byte", 300, 64 << 10, true, (socket, stop) => DribbleAsync(socket, Encoding.Latin1.GetString([.. Frame.ClientPreface, .. Frame.Raw(1, 4, 1, new byte[10_000])]), stop)) { HeaderTimeout = Short },
        new("silence", 1500, 4 << 10, true, SilenceAsync) { HeaderTimeout = Short },
        new("come and go", 16, 16 << 10, false, (_, _) => Task.CompletedTask),
        new("noise", 16, Codec, true, NoiseAsync),
    ];

    public override string ToString() => Name;

    private static Attack Frames(string name, Func<int, byte[]> piece) => new(name, 8, Codec, true, async (socket, stop) =>
    {
        await SendAsync(socket, Frame.ClientPreface, stop);
        for (var id = 1; ; id += 200)
            await SendAsync(socket, [.. Enumerable.Range(0, 100).SelectMany(i => piece(id + (2 * i)))], stop);
    });

    private static byte[] Large()
    {
        var field = Frame.Block(("a", new string('x', 3900)));
        field[0] = 0x40; // with incremental indexing
        return [.. Frame.Block(Frame.Get), .. field];
    }

    private static byte[] Bomb()
    {
        var bomb = new byte[160];
        bomb.AsSpan().Fill(0xBE); // the first of the dynamic table, again and again
        return bomb;
    }

    private static async Task WindowOfNothingAsync(Socket socket, CancellationToken stop)
    {
        await SendAsync(socket, [.. Frame.ClientPreface, .. Frame.Settings((4, 0))], stop);
        for (var id = 1; id < 256; id += 2)
            await SendAsync(socket, Frame.Headers(id, true, (":method", "GET"), (":scheme", "http"), (":path", "/large"), (":authority", "h")), stop);
        await WaitAsync(stop);
    }

    private static async Task PipelineAsync(Socket socket, CancellationToken stop)
    {
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /direct HTTP/1.1\r\nHost: h\r\n\r\n", 500)));
        while (true)
            await SendAsync(socket, requests, stop);
    }

    private static async Task NotReadAsync(Socket socket, CancellationToken stop)
    {
        socket.ReceiveBufferSize = 4096;
        await SendAsync(socket, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), stop);
        await WaitAsync(stop);
    }

    private static Task BodyAsync(Socket socket, CancellationToken stop) => DribbleAsync(socket, "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + new string('b', 90_000), stop);

    private static async Task SilenceAsync(Socket socket, CancellationToken stop) => await CutAsync(socket, stop);

    private static async Task NoiseAsync(Socket socket, CancellationToken stop)
    {
        var bytes = new byte[1000];
        new Random(socket.Handle.ToInt32()).NextBytes(bytes);
        await SendAsync(socket, bytes, stop);
        await CutAsync(socket, stop);
    }

    private static async Task DribbleAsync(Socket socket, string text, CancellationToken stop)
    {
        // The head at once where there is a body: it is the body that is slow then.
        var head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        var at = head < 4 || text.StartsWith("PRI", StringComparison.Ordinal) ? 1 : head;
        await SendAsync(socket, Encoding.Latin1.GetBytes(text[..at]), stop);
        for (; at < text.Length; at++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
            await SendAsync(socket, [(byte)text[at]], stop);
        }
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, CancellationToken stop)
    {
        await Task.Yield(); // loopback takes everything at once, and the others want their turn
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent), stop);
    }

    /// <summary>Reads until the proxy ends the connection.</summary>
    internal static async Task CutAsync(Socket socket, CancellationToken stop)
    {
        var buffer = new byte[16 << 10];
        while (await socket.ReceiveAsync(buffer, stop) > 0)
        {
        }
    }

    private static Task WaitAsync(CancellationToken stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
}
