using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Api.Joining;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Nodes;

/// <param name="ClusterCidr">All pods of all nodes.</param>
/// <param name="LeaseSeconds">How often a node must say that it lives.</param>
/// <param name="ServersNode">The node in the server's own process: nobody else ever gets its name, not even while its lease is old after a long stop.</param>
public sealed record NodeJoinOptions(string ClusterCidr, string ServiceCidr, string ClusterDomain, int LeaseSeconds, string ServersNode)
{
    /// <summary>Whether the cluster has a mesh.</summary>
    public bool Mesh { get; init; }
}

/// <summary>
/// Lets a node in: for a join token it signs the node's own key as `system:node:NAME`. The key never leaves the node. A node renews its certificate
/// with the one it has.
/// </summary>
public sealed partial class NodeJoin(
    ClusterPki pki, StoredObjects objects, IAuthenticator authenticator, NodeJoinOptions options, TimeProvider time, ILoggerFactory loggers) : IPathHandler
{
    /// <summary>Of the user and the group of a node's proxy: it may follow the configuration, and nothing else.</summary>
    public const string ProxyPrefix = "weft:proxy:", ProxyGroup = "weft:proxies";

    // Four renewals missed: the node is gone.
    private TimeSpan Alive => TimeSpan.FromSeconds(4 * options.LeaseSeconds);

    private readonly ILogger _logger = loggers.CreateLogger<NodeJoin>();

    public bool Matches(RequestInfo request) => request.Path is JoinPaths.Authority or JoinPaths.Join or JoinPaths.Renew or JoinPaths.Proxy or JoinPaths.Cluster;

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        switch (request.Path, request.Verb)
        {
            case (JoinPaths.Authority, "get"):
                context.Response.ContentType = "application/x-pem-file";
                await context.Response.WriteAsync(pki.AuthorityPem, cancellationToken);
                break;
            case (JoinPaths.Join, "post"):
                // A token and nothing else: a node's own certificate must not become another node's.
                if (context.Features.Get<UserInfo>()?.Groups.Contains(JoinTokens.Group) != true)
                    throw Statuses.ForbiddenPath("a node joins with a join token");
                await AnswerAsync(context, Join(await ReadAsync(context, JoinJson.Default.JoinRequest, cancellationToken)), JoinJson.Default.JoinAnswer, cancellationToken);
                break;
            case (JoinPaths.Renew, "post"):
                await RenewAsync(context, NodeIdentity.Prefix, NodeIdentity.Group, cancellationToken);
                break;
            case (JoinPaths.Proxy, "post"):
                await RenewAsync(context, ProxyPrefix, ProxyGroup, cancellationToken);
                break;
            case (JoinPaths.Cluster, "get"):
                if (await authenticator.AuthenticateAsync(context, cancellationToken) is not { } asking || NodeIdentity.NodeName(asking) is null)
                    throw Statuses.ForbiddenPath("only a node is told this of its cluster");
                await AnswerAsync(context, new ClusterAnswer(options.Mesh), JoinJson.Default.ClusterAnswer, cancellationToken);
                break;
            default:
                throw Statuses.MethodNotAllowed();
        }
    }

    /// <summary>What a node may have signed: its own name, or that of its proxy.</summary>
    private async Task RenewAsync(HttpContext context, string prefix, string group, CancellationToken cancellationToken)
    {
        var user = await authenticator.AuthenticateAsync(context, cancellationToken);
        var node = (user is null ? null : NodeIdentity.NodeName(user)) ?? throw Statuses.ForbiddenPath("only a node may have certificates signed here, its own and its proxy's");
        var asked = await ReadAsync(context, JoinJson.Default.RenewMessage, cancellationToken);
        await AnswerAsync(context, new RenewMessage(asked.SigningRequest, Sign(prefix + node, group, asked.SigningRequest)), JoinJson.Default.RenewMessage, cancellationToken);
        Log.Renewed(_logger, prefix + node);
    }

    private JoinAnswer Join(JoinRequest request)
    {
        if (NameRules.DnsSubdomain(request.NodeName ?? "") is { } why)
            throw Statuses.BadRequest($"the node's name '{request.NodeName}' cannot be: {why}");
        var name = request.NodeName!;
        if (name == options.ServersNode)
            throw Statuses.Conflict(new("", "v1", "nodes"), name, $"{name} is the name of the API server's own node: choose another name with --node-name");
        if (objects.Get("", "nodes", "", name) is not null && IsAlive(name))
            throw Statuses.Conflict(new("", "v1", "nodes"), name, $"a node named {name} is alive in this cluster: choose another name with --node-name, or stop that one and wait until it is NotReady");
        var certificate = Sign(NodeIdentity.Prefix + name, NodeIdentity.Group, request.SigningRequest);
        Log.Joined(_logger, name);
        return new JoinAnswer(certificate, pki.AuthorityPem, options.ClusterCidr, options.ServiceCidr, options.ClusterDomain, options.LeaseSeconds, options.Mesh);
    }

    private bool IsAlive(string node) =>
        DateTimeOffset.TryParse(objects.Get("coordination.k8s.io", "leases", "kube-node-lease", node)?.At("spec", "renewTime").AsText(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var renewed)
        && time.GetUtcNow() - renewed < Alive;

    private string Sign(string name, string group, string signingRequest)
    {
        try
        {
            return pki.SignClient(signingRequest, name, [group]);
        }
        catch (Exception bad) when (bad is CryptographicException or ArgumentException)
        {
            throw Statuses.BadRequest("the signing request must be PKCS #10 in PEM, signed with an ECDSA P-256 key: " + bad.Message);
        }
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var body = new byte[JoinPaths.MaxBody];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        if (length == body.Length)
            throw Statuses.TooLarge(JoinPaths.MaxBody);
        try
        {
            return JsonSerializer.Deserialize(body.AsSpan(0, length), type) ?? throw Statuses.BadRequest("the body is null");
        }
        catch (JsonException bad)
        {
            throw Statuses.BadRequest("the body is no JSON of this request: " + bad.Message);
        }
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        context.Response.ContentType = OutputFormat.JsonType;
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer, type), cancellationToken).AsTask();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Node {Node} has joined", EventName = nameof(Joined))]
        public static partial void Joined(ILogger logger, string node);

        [LoggerMessage(LogLevel.Information, "{Name} has a new certificate", EventName = nameof(Renewed))]
        public static partial void Renewed(ILogger logger, string name);
    }
}
