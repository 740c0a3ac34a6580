using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Streaming.WebSockets;

/// <summary>A path that becomes a WebSocket of one of this program's own protocols, for callers who were authenticated and may `get` the path.</summary>
/// <param name="serve">Owns the socket until it returns.</param>
/// <param name="stopping">Ends the connections when the server stops.</param>
public sealed class WebSocketPath(string path, Func<UserInfo, WebSocket, CancellationToken, Task> serve, CancellationToken stopping) : IPathHandler
{
    public bool Matches(RequestInfo request) => request.Verb == "get" && request.Path == path;

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        var user = context.Features.Get<UserInfo>() ?? throw Statuses.Unauthorized();
        using var socket = await UpgradeRequest.Read(context).SwitchToWebSocketAsync("");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        try
        {
            await serve(user, socket, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The peer has gone, or the server goes.
        }
    }
}
