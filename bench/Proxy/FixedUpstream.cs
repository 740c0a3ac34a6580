using System.Net;
using System.Text;
using Weft.Proxy.Transport;

namespace Weft.Bench.Proxy;

/// <summary>An upstream that costs next to nothing: the same bytes for each empty line that comes.</summary>
internal sealed class FixedUpstream(ITransport transport, byte[] response) : IProtocol
{
    public static byte[] Response(int body) => Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body}\r\n\r\n{new string('x', body)}");

    public static void Listen(EventLoop loop, int port, int body)
    {
        var response = Response(body);
        _ = new Listener(loop, Listener.Bind(new(IPAddress.Any, port)), (fd, peer) =>
        {
            var connection = new Connection(loop, fd, peer, connecting: false);
            connection.Protocol = new FixedUpstream(connection, response);
        });
    }

    public int OnData(ReadOnlySpan<byte> data)
    {
        var consumed = 0;
        while (data[consumed..].IndexOf("\r\n\r\n"u8) is var end and >= 0)
        {
            consumed += end + 4;
            transport.Write(response);
        }

        return consumed;
    }

    public void OnEnd() => transport.Abort();

    public void OnWritable()
    {
    }

    public void OnTimeout()
    {
    }

    public void OnClosed()
    {
    }
}
