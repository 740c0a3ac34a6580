using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Weft.Bench.Proxy;

/// <summary>Connections that have made one request each and then stay open.</summary>
internal static class IdleClients
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /idle HTTP/1.1\r\nHost: bench\r\n\r\n");

    /// <returns>They are kept from being collected as long as the caller holds them.</returns>
    public static async Task<IReadOnlyList<Stream>> OpenAsync(int port, int count, bool tls)
    {
        var open = new List<Stream>(count);
        var buffer = new byte[4096];
        while (open.Count < count)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (tls)
            {
                // The bench made the certificate itself a moment ago.
                var secure = new SslStream(stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
                await secure.AuthenticateAsClientAsync("bench");
                stream = secure;
            }

            await stream.WriteAsync(Request);
            if (await stream.ReadAsync(buffer) == 0)
                throw new IOException($"connection {open.Count} was closed instead of answered");
            open.Add(stream);
        }

        return open;
    }
}
