using System.Net;
using System.Net.Sockets;

namespace Weft.Proxy.Health;

/// <summary>A connection can be made.</summary>
internal sealed class TcpProbe : IHealthProbe
{
    public async Task<string?> AskAsync(IPEndPoint address, string? hostName, CancellationToken cancellationToken)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            return null;
        }
        catch (SocketException failed)
        {
            return failed.SocketErrorCode == SocketError.ConnectionRefused ? "connection refused" : failed.Message;
        }
    }

    public void Dispose()
    {
        // nothing is kept between checks
    }
}
