using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Api.Withdrawals;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Nodes;

/// <summary>Answers nodes whether a pod gets no more requests (<see cref="WithdrawalPaths"/>).</summary>
/// <param name="wait">By namespace, name, uid and patience; false: the patience was over.</param>
public sealed class WithdrawalPath(Func<string, string, string, TimeSpan, CancellationToken, Task<bool>> wait) : IPathHandler
{
    // An agent gives a pod's last requests no more: whoever asks for it holds a request of ours.
    private const int MostMilliseconds = 10_000;

    public bool Matches(RequestInfo request) => request.Verb == "get" && request.Path.StartsWith(WithdrawalPaths.Prefix, StringComparison.Ordinal);

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        if (request.Path[WithdrawalPaths.Prefix.Length..].Split('/') is not [{ Length: > 0 } @namespace, { Length: > 0 } name, { Length: > 0 } uid])
            throw Statuses.BadRequest($"the path is {WithdrawalPaths.Prefix}NAMESPACE/POD/UID");
        if (!int.TryParse(context.Request.Query[WithdrawalPaths.Patience], NumberStyles.None, CultureInfo.InvariantCulture, out var patience) || patience > MostMilliseconds)
            throw Statuses.BadRequest($"{WithdrawalPaths.Patience}: a number from 0 to {MostMilliseconds}");
        var withdrawn = await wait(@namespace, name, uid, TimeSpan.FromMilliseconds(patience), cancellationToken);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject { [WithdrawalPaths.Answer] = withdrawn }.ToJsonString(), cancellationToken);
    }
}
