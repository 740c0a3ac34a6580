using System.Net.Sockets;
using System.Text;
using Weft.Api.Streams;

namespace Weft.Node.Agent;

/// <summary>Passes questions to the node's proxy and its answers back. What they mean is the proxy's and the asker's.</summary>
/// <param name="socket">Path of the proxy's socket.</param>
internal sealed class ProxyInspection(string socket)
{
    public async Task AskAsync(string question, Stream output, CancellationToken cancellationToken)
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
        }
        catch (SocketException away)
        {
            throw new PodStreamException(PodStreamError.NotRunning, $"the node's proxy cannot be asked: {away.Message}");
        }

        await using var stream = new NetworkStream(connection);
        // One line: whatever stands behind a line's end would be another question.
        await stream.WriteAsync(Encoding.UTF8.GetBytes(question.ReplaceLineEndings(" ") + "\n"), cancellationToken);
        try
        {
            await stream.CopyToAsync(output, cancellationToken);
        }
        catch (IOException ended) when (ended.InnerException is SocketException)
        {
            throw new PodStreamException(PodStreamError.NotRunning, "the node's proxy ended while it answered");
        }
    }
}
