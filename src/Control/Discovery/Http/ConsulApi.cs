using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>The paths below `/v1`, and what becomes of errors: a status and one line of text, as Consul's clients show it.</summary>
public sealed partial class ConsulApi
{
    private readonly RegistryAccess _access;
    private readonly ILogger _logger;
    private readonly RegistryOptions _options;
    private readonly AgentHandler _agent;
    private readonly CatalogHandler _catalog;
    private readonly HealthHandler _health;
    private readonly ValueHandler _values;
    private readonly TransactionHandler _transactions;
    private readonly SessionHandler _sessions;
    private readonly NamesHandler _names;

    public ConsulApi(ServiceRegistry registry, CheckLoop checks, RegistryAccess access, TimeProvider time, Random random, Func<int> port, ILogger logger)
    {
        (_access, _logger, _options) = (access, logger, registry.Options);
        var queries = new BlockingQueries(registry, random);
        _agent = new(registry, checks, port);
        _catalog = new(registry, queries);
        _health = new(registry, queries);
        _values = new(registry, queries);
        _transactions = new(registry);
        _sessions = new(registry, queries, checks, random);
        _names = new(queries, time);
    }

    internal RegistryAccess Access => _access;

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context);
        }
        catch (RegistryException refused)
        {
            await FailAsync(context, refused.Status, refused.Message);
        }
        catch (RegistryStoreException unkept)
        {
            await FailAsync(context, 500, unkept.Message);
        }
        catch (BadHttpRequestException bad)
        {
            await FailAsync(context, bad.StatusCode, bad.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away.
        }
        catch (IOException) when (context.RequestAborted.IsCancellationRequested)
        {
        }
        catch (Exception failed)
        {
            Log.Failed(_logger, context.Request.Method, context.Request.Path, failed);
            await FailAsync(context, 500, "internal error");
        }
    }

    private async Task RouteAsync(HttpContext context)
    {
        if (RegistryAccess.IsForeignPage(context.Request))
            throw new RegistryException(403, "ask for an address, localhost or a name below .consul");
        var rights = _access.Of(context);
        if (rights == CallerRights.WrongToken)
            throw new RegistryException(403, "ACL not found");
        var path = Split(context.Request.Path.Value ?? "");
        if (path.Length == 0 && context.Request.Path == "/")
        {
            await context.Response.WriteAsync("Consul's HTTP API, below /v1\n", context.RequestAborted);
            return;
        }

        if (path.Length < 2 || path[0] != "v1")
            throw NoSuchPath(context);
        var call = new ConsulCall(context, path[1..], rights);
        call.NeedDatacenter(_options.Datacenter);
        var answered = call.Path switch
        {
            ["agent", ..] => await _agent.TryHandleAsync(call),
            ["catalog", ..] => await _catalog.TryHandleAsync(call),
            ["health", ..] => await _health.TryHandleAsync(call),
            ["kv", ..] => await _values.TryHandleAsync(call),
            ["txn"] => await _transactions.HandleAsync(call),
            ["session", ..] => await _sessions.TryHandleAsync(call),
            ["weft", "names", ..] => await _names.TryHandleAsync(call),
            ["status", "leader"] => await StatusAsync(call, System.Text.Json.Nodes.JsonValue.Create(Peer)),
            ["status", "peers"] => await StatusAsync(call, ConsulJson.List([Peer])),
            _ => false,
        };
        if (!answered)
            throw UnservedPaths.Why(call.Path) is { } why ? new RegistryException(404, why) : NoSuchPath(context);
    }

    // Consul's own port of servers: nobody connects to it, clients show it.
    private string Peer => $"{_options.NodeAddress}:8300";

    private static async Task<bool> StatusAsync(ConsulCall call, System.Text.Json.Nodes.JsonNode? answer)
    {
        call.Need("GET");
        await call.AnswerAsync(answer);
        return true;
    }

    // Key names keep their slashes, also doubled and at the end: everything after /v1/kv/ is one segment.
    private static string[] Split(string path)
    {
        const string Values = "/v1/kv/";
        return path.StartsWith(Values, StringComparison.Ordinal) ? ["v1", "kv", path[Values.Length..].Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)]
            : path == "/v1/kv" ? ["v1", "kv", ""] : [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)];
    }

    private static RegistryException NoSuchPath(HttpContext context) => new(404, $"Invalid URL path: not a recognized HTTP API endpoint ({context.Request.Path})");

    private static async Task FailAsync(HttpContext context, int status, string message)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return;
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(message, context.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, string method, PathString path, Exception failure);
    }
}
