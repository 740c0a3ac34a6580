using Weft.Api;

namespace Weft.ApiServer.Http;

/// <summary>Ends a request with a Kubernetes `Status`. `Statuses` makes them; nothing else chooses codes and reasons.</summary>
public sealed class ApiException(Status status) : Exception(status.Message)
{
    public Status Status => status;
    public int Code => status.Code ?? 500;
}
