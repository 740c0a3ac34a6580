using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Http;

/// <summary>The way of every request, over a socket or in process.</summary>
internal sealed partial class ApiPipeline(
    IAuthenticator authenticator, RequestAuthorizer authorizer, Dispatcher dispatcher, ObjectNames names, Metrics metrics, InFlight inFlight, TimeProvider time, ILogger logger)
{
    public async Task HandleAsync(HttpContext http)
    {
        var request = new ApiRequest(http, names.Uid());
        var started = time.GetTimestamp();
        http.Response.Headers["Audit-Id"] = request.AuditId;
        metrics.Begin();
        InFlight.Pool? place = null;
        try
        {
            request.Info = RequestInfoParser.Parse(http.Request.Method, RawTarget(http), request.Query);
            request.User = await AuthenticateAsync(request);
            http.Features.Set(request.User);
            // Parts of this process bound themselves, and the cluster stands still without them.
            if (http.Features.Get<InProcessCaller>() is null)
                place = inFlight.Enter(request.Info);
            await authorizer.RequireAsync(request);
            await dispatcher.DispatchAsync(request);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody to answer.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            await AnswerAsync(request, e);
        }
        finally
        {
            place?.Leave();
            metrics.End(request.Info, dispatcher.Knows(request.Info), http.Response.StatusCode, time.GetElapsedTime(started));
        }
    }

    private async ValueTask<UserInfo> AuthenticateAsync(ApiRequest request)
    {
        var user = await authenticator.AuthenticateAsync(request.Http, request.Aborted);
        var impersonated = request.Http.Request.Headers.ContainsKey("Impersonate-User");
        if (user is null || user.Name == UserInfo.Anonymous.Name && !impersonated && !HealthPaths.IsPublic(request.Info))
            throw Statuses.Unauthorized();
        return user;
    }

    private async Task AnswerAsync(ApiRequest request, Exception error)
    {
        if (request.Http.Response.HasStarted)
        {
            // Half an answer must not look whole.
            if (error is not (OperationCanceledException or ApiException))
                Log.Failed(logger, error, request.Http.Request.Method, request.Info.Path, request.AuditId);
            request.Http.Abort();
            return;
        }

        var status = ToStatus(request, error);

        request.Http.Response.Headers.Remove("Content-Encoding");
        await ResponseWriter.WriteStatusAsync(request, status, status.Code ?? 500);
    }

    private Api.Status ToStatus(ApiRequest request, Exception error)
    {
        switch (error)
        {
            case ApiException refusal:
                return refusal.Status;
            case BadHttpRequestException bad:
                return (bad.StatusCode == 413 ? Statuses.TooLarge(BodyReader.MaxBytes) : Statuses.BadRequest(bad.Message)).Status;
            case StoreReadOnlyException full:
                Log.StoreReadOnly(logger, full.Message);
                return Statuses.WithoutRoom(full.Message).Status;
            case ValueTooLargeException large:
                return Statuses.TooLarge(large.Limit).Status;
            case CompactedException compacted:
                return Statuses.Expired(compacted.Requested, compacted.Compacted + 1).Status;
            default:
                Log.Failed(logger, error, request.Http.Request.Method, request.Info.Path, request.AuditId);
                return Statuses.Internal($"{error.GetType().Name}; the server's log has it under audit id {request.AuditId}").Status;
        }
    }

    private static string RawTarget(HttpContext http) =>
        http.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } target ? target : http.Request.Path.Value ?? "";

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Method} {Path} failed (audit id {AuditId})", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, Exception error, string method, string path, string auditId);

        [LoggerMessage(LogLevel.Error, "The store is read-only: {Reason}", EventName = nameof(StoreReadOnly))]
        public static partial void StoreReadOnly(ILogger logger, string reason);
    }
}
