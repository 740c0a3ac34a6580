using System.Net;

namespace Weft.Proxy.Health;

/// <summary>One way of asking an endpoint whether it is well. Off the loops: checks are few, and a library's client serves them.</summary>
internal interface IHealthProbe : IDisposable
{
    /// <summary>Null: it is well; else a short reason (`answered 503`). The caller bounds the time.</summary>
    Task<string?> AskAsync(IPEndPoint address, string? hostName, CancellationToken cancellationToken);
}
