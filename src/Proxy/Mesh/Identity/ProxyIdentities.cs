using System.Net.WebSockets;
using Microsoft.Extensions.Logging;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>The identities of a node's workloads in its proxy: what is on disk at once, the rest from the server for as long as it runs.</summary>
/// <param name="directory">Of the proxy alone.</param>
/// <param name="connect">Opens a WebSocket at <see cref="Config.Identity.CertificateChannel.Path"/> of the server.</param>
public sealed class ProxyIdentities(string directory, Func<CancellationToken, Task<WebSocket>> connect, TimeProvider time, Random random, ILoggerFactory loggers) : IDisposable
{
    internal MeshIdentities Held { get; } = new(new IdentityFiles(directory), time, random, loggers.CreateLogger("Weft.Proxy.Identity"));

    public Task RunAsync(CancellationToken cancellationToken) => new CertificateClient(Held, connect, time, random, loggers.CreateLogger("Weft.Proxy.Identity")).RunAsync(cancellationToken);

    public void Dispose() => Held.Dispose();
}
