using Weft.Api.ApiExtensions;
using Weft.Api.Schemas;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;
using Weft.ApiServer.Usage;

namespace Weft.ApiServer;

/// <summary>What a server is put together from: the kinds it serves, who may do what, and what plugs into the pipeline.</summary>
public sealed record ApiServerParts
{
    public required IResourceCatalog Catalog { get; init; }
    public required IAuthenticator Authenticator { get; init; }
    public required IAuthorizer Authorizer { get; init; }
    public IReadOnlyList<IAdmission> Admission { get; init; } = [];

    /// <summary>Discovery, OpenAPI, token issuer metadata. Health, version and metrics are always there.</summary>
    public IReadOnlyList<IPathHandler> Paths { get; init; } = [];
    public IReadOnlyList<IVirtualResource> Virtuals { get; init; } = [];
    public IReadOnlyList<ILiveResource> Live { get; init; } = [];

    /// <summary>What custom.metrics.k8s.io answers from; null: it has no metric.</summary>
    public RequestMetrics? Requests { get; init; }
    public IReadOnlyList<IConnectHandler> Connects { get; init; } = [];
    public IReadOnlyList<HealthCheck> Checks { get; init; } = [];

    /// <summary>Custom kinds whose definitions the server makes at its start where there are none by their names, and renews where they are as another edition of it made them. One that somebody has changed it leaves alone.</summary>
    public IReadOnlyList<PreinstalledDefinition> Preinstalled { get; init; } = [];

    /// <summary>Loads what a first request needs; runs before the server listens.</summary>
    public IReadOnlyList<Func<CancellationToken, ValueTask>> Loads { get; init; } = [];

    /// <summary>Loops that follow the store for as long as the server runs. One that ends by itself has failed, and the server with it.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Loops { get; init; } = [];
}

/// <param name="Manifest">The definition (<see cref="CrdManifest"/>); asked for only where there is none yet or one of another edition, because a start has no time for it.</param>
public sealed record PreinstalledDefinition(PreinstalledKind Kind, Func<System.Text.Json.Nodes.JsonObject> Manifest)
{
    /// <summary>Another one for each build of the assembly that has the types and writes their definitions: what one edition made need not be compared by it.</summary>
    public string Edition { get; init; } = typeof(CrdManifest).Module.ModuleVersionId.ToString("N");

    public string Name => $"{Kind.Kind.Plural}.{Kind.Kind.Kind.Group}";

    public static PreinstalledDefinition Of(PreinstalledKind kind, SchemaReader schemas) => new(kind, () => CrdManifest.Of(kind, schemas));
}
