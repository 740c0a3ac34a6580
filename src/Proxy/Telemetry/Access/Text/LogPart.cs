namespace Weft.Proxy.Telemetry.Access.Text;

internal enum LogValue
{
    Literal, StartTime, Method, Path, Authority, Scheme, Protocol, ResponseCode, ResponseFlags, ResponseCodeDetails, BytesReceived, BytesSent, Duration, UpstreamServiceTime, UpstreamHost, UpstreamCluster,
    AttemptCount, RemoteAddress, RemoteAddressWithoutPort, RemotePort, LocalAddress, LocalAddressWithoutPort, LocalPort, PeerIdentity, ServerName, RouteName, GrpcStatus, GrpcStatusNumber, TraceId,
    UserAgent, ForwardedFor, RequestId, Field, Absent,
}

/// <summary>A piece of a line.</summary>
/// <param name="Text">Of a literal.</param>
/// <param name="Field">Number of a captured field (<see cref="LogFields"/>).</param>
/// <param name="Most">Characters of the value that are written.</param>
/// <param name="Otherwise">In place of a value that is not there.</param>
internal sealed record LogPart(LogValue Value, byte[]? Text = null, int Field = 0, int Most = int.MaxValue, LogPart? Otherwise = null, TimePattern? Time = null);
