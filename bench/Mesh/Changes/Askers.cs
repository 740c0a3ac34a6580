using System.Net;

namespace Weft.Bench.Mesh.Changes;

/// <summary>A request on a kept connection: the status, or the body.</summary>
internal sealed class RequestAsker(HttpProbe probe, bool byBody) : IAsker
{
    public string Ask()
    {
        var (status, body) = probe.Ask();
        return byBody ? body : FormattableString.Invariant($"{status}");
    }

    public void Dispose() => probe.Dispose();
}

/// <summary>A connection and a request on it, each time.</summary>
internal sealed class ConnectionAsker(IPEndPoint to, string host) : IAsker
{
    public string Ask()
    {
        using var probe = HttpProbe.Connect(to, host, "/");
        return FormattableString.Invariant($"{probe.Ask().Status}");
    }

    public void Dispose()
    {
        // a connection lives for one question
    }
}
