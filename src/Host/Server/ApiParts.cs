using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Api.ApiExtensions;
using Weft.Api.FrontDoor;
using Weft.Api.GatewayApi;
using Weft.Api.Istio;
using Weft.Api.Schemas;
using Weft.Api.Streams;
using Weft.ApiServer;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Observing;
using Weft.ApiServer.OpenApi;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Streaming;
using Weft.ApiServer.Usage;
using Weft.Cli.Clusters;
using Weft.Storage;

namespace Weft.Host.Server;

/// <summary>Puts the API server together: who may ask, what is served, what plugs in.</summary>
internal static class ApiParts
{
    internal static ApiServerHost Compose(
        LocalStore store, ClusterPki pki, IPEndPoint listen, IPAddress advertise, ClusterSettings settings, string nodeName, IPodStreams localStreams, RegistryParts.Mount images, ConfigParts configuration, IdentityParts identity, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        var objects = new StoredObjects(store);
        var tokens = new ServiceAccountTokens(pki.ServiceAccountKey, new([pki.ServiceAccountKey.PublicKey]), new(), objects, time);
        var feed = new RbacFeed(store, loggers.CreateLogger<RbacFeed>());
        var authorizer = new UnionAuthorizer(new NodeAuthorizer(store), images.Rights, new RbacAuthorizer(feed));
        var certificates = new ClientCertificateAuthenticator(pki.Authority, time);
        var streams = new NodeTunnels(nodeName, localStreams, objects, certificates, time, loggers);
        var join = new NodeJoin(pki, objects, certificates, new NodeJoinOptions(settings.PodCidr, settings.ServiceCidr, "cluster.local", settings.LeaseSeconds(), nodeName) { Mesh = settings.Mesh }, time, loggers);
        var authenticator = new ImpersonatingAuthenticator(
            new UnionAuthenticator(
                new InProcessAuthenticator(),
                certificates,
                new JoinTokens(objects, time),
                new ServiceAccountTokenAuthenticator(tokens, loggers.CreateLogger<ServiceAccountTokenAuthenticator>())),
            authorizer);
        var aggregation = new AggregationLoop(store, time, loggers.CreateLogger<AggregationLoop>());
        var schemas = new SchemaReader();
        // Past the other node's proxy, as the mark is past this one's.
        PodConnector? pods = settings.Mesh ? streams.ConnectElsewhereAsync : null;
        var catalog = ResourceCatalog.Create(store, schemas, time, loggers, pods);
        IReadOnlyList<PreinstalledKind> installed = [.. MeshKinds.All(), .. WeftKinds.Preinstalled(), .. GatewayKinds.Preinstalled()];
        var definitions = new CrdEstablisher(store, catalog.Current.All, time, loggers.CreateLogger<CrdEstablisher>());

        var readings = new NodeReadings(streams, objects, time, loggers.CreateLogger<NodeReadings>());
        var options = new ApiServerOptions
        {
            Store = store, Time = time, Random = random, Loggers = loggers, Listen = listen,
            ServerCertificateSource = () => pki.ServerCertificate, PodStreams = streams, PodConnector = pods, ServiceCidr = settings.ServiceCidr, LostNodeTolerationSeconds = settings.EvictionSeconds ?? 300, AdvertiseAddress = advertise,
        };
        return new ApiServerHost(options, new ApiServerParts
        {
            Catalog = catalog,
            Authenticator = authenticator,
            Authorizer = authorizer,
            Admission = [new NodeRestriction(objects), new EscalationAdmission(feed, authorizer), definitions, new PreinstalledWarnings(installed), new GatewayWarnings(objects)],
            Paths = [new DiscoveryHandler(catalog), new OpenApiHandler(catalog, schemas, "v1.33.0"), new IssuerDiscovery(tokens), streams, join, images.Paths, .. configuration.OnApiServer, identity.OnApiServer, new MeshObservations(streams, () => streams.Reachable, nodeName, objects, time)],
            Preinstalled = [.. installed.Select(kind => PreinstalledDefinition.Of(kind, schemas))],
            Connects = [new StreamingHandler(streams, time, loggers)],
            Live = [new UsageMetrics(readings, objects)],
            Requests = new RequestMetrics(readings, objects),
            Virtuals =
            [
                new TokenRequests(tokens, objects, time), new TokenReviews(tokens), new SelfSubjectReviews(time),
                new AccessReviews(authorizer), new RulesReviews(feed),
            ],
            Loads = [catalog.LoadAsync, feed.LoadAsync],
            Loops = [catalog.RunAsync, feed.RunAsync, aggregation.RunAsync, definitions.RunAsync, pki.KeepFreshAsync],
        });
    }
}
