using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Weft.Bench.Mesh;

/// <summary>One HTTP/1.1 connection with one request at a time, on blocking sockets: nothing but the kernel between the two ends.</summary>
internal sealed class HttpProbe : IDisposable
{
    private static readonly byte[] HeadEnd = "\r\n\r\n"u8.ToArray();

    private readonly Socket _socket;
    private readonly byte[] _request;
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <param name="socket">In the network that the request is to come from; connected.</param>
    public HttpProbe(Socket socket, string host, string path)
    {
        _socket = socket;
        _socket.ReceiveTimeout = 5000;
        _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    }

    public static HttpProbe Connect(IPEndPoint to, string host, string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(to);
            return new(socket, host, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The answer's status and body.</summary>
    /// <exception cref="IOException">The connection was closed.</exception>
    public (int Status, string Body) Ask()
    {
        _socket.Send(_request);
        var (length, head) = (0, -1);
        while (true)
        {
            var read = _socket.Receive(_buffer.AsSpan(length));
            if (read == 0)
                throw new IOException("closed without an answer");
            length += read;
            if (head < 0)
                head = _buffer.AsSpan(0, length).IndexOf(HeadEnd);
            if (head < 0)
                continue;
            var text = Encoding.ASCII.GetString(_buffer, 0, head);
            var body = BodyLength(text);
            if (length >= head + 4 + body)
                return (int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture), Encoding.ASCII.GetString(_buffer, head + 4, body));
        }
    }

    /// <summary>Of a whole answer, head and body; null: the head is not whole.</summary>
    public static int? Length(string answer) => answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var head ? head + 4 + BodyLength(answer[..head]) : null;

    private static int BodyLength(string head)
    {
        const string Field = "content-length:";
        var at = head.IndexOf(Field, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return 0;
        var value = head.AsSpan(at + Field.Length).TrimStart();
        var end = value.IndexOf('\r');
        return int.Parse(end < 0 ? value : value[..end], CultureInfo.InvariantCulture);
    }

    public void Dispose() => _socket.Dispose();
}
