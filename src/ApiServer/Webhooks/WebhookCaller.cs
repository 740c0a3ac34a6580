using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.Api.Istio;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Webhooks;

/// <summary>A webhook gave no usable answer; the message says why, for the one whose request fails by it.</summary>
internal sealed class WebhookException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Posts reviews to webhooks: over TLS, by URL or to an endpoint of a service, with nothing of the machine's proxies or cookies.</summary>
/// <param name="pods">Reaches pods on other nodes; null: by their addresses.</param>
internal sealed class WebhookCaller(StoredObjects objects, PodConnector? pods, TimeProvider time) : IDisposable
{
    // An answer holds at most a patch or converted objects of a request: Kubernetes' limit of one.
    private const int MaxAnswer = 3 * 1024 * 1024;

    // Distinct webhooks that keep connections; far more than any cluster has.
    private const int MaxClients = 256;
    private const int HttpsPort = 443;

    // id-kp-serverAuth (RFC 5280, 4.2.1.12).
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    private static readonly TimeSpan IdleConnections = TimeSpan.FromMinutes(1);

    // A webhook's certificates and addresses change: no connection outlives this.
    private static readonly TimeSpan MaxConnectionAge = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _clients = new();
    private long _reviews;
    private int _turn;

    public void Dispose()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
    }

    /// <param name="client">A `clientConfig`.</param>
    /// <returns>The answer's body.</returns>
    /// <exception cref="WebhookException">No connection, no success, no JSON, or too late.</exception>
    public async Task<JsonObject> PostAsync(JsonObject client, JsonObject review, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var url = Address(client);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(JsonTree.WriteUtf8(review)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await Client(client).SendAsync(request, either.Token);
            var body = await ReadAsync(response.Content, either.Token);
            if (!response.IsSuccessStatusCode)
                throw new WebhookException($"failed to call webhook: the server answered {(int)response.StatusCode}");
            return JsonTree.Parse(body).Root as JsonObject ?? throw new WebhookException("the webhook's answer is no object");
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new WebhookException($"failed to call webhook: Post \"{url}\": no answer within {timeout.TotalSeconds:0} s");
        }
        // An answer that breaks off in its body is an IOException: the head had come by then.
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new WebhookException($"failed to call webhook: Post \"{url}\": {e.GetBaseException().Message}", e);
        }
        catch (TreeException e)
        {
            throw new WebhookException($"the webhook's answer cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A number that tells one review from another, in the form of a UUID.</summary>
    public string NextUid() => new Guid(0, 0, 0, BitConverter.GetBytes(Interlocked.Increment(ref _reviews))).ToString();

    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            body.Write(buffer, 0, read);
            if (body.Length > MaxAnswer)
                throw new WebhookException($"the webhook's answer is larger than {MaxAnswer} bytes");
        }
        return body.ToArray();
    }

    private static Uri Address(JsonObject client)
    {
        if (client["service"] is not JsonObject service)
            return new Uri(client["url"].AsText() ?? "");
        var path = service["path"].AsText() ?? "/";
        return new Uri($"https://{service["name"].AsText()}.{service["namespace"].AsText()}.svc:{service["port"].AsInteger() ?? HttpsPort}{path}");
    }

    private HttpMessageInvoker Client(JsonObject client)
    {
        var service = client["service"] as JsonObject;
        var key = $"{service?.ToJsonString() ?? Address(client).Authority}|{client["caBundle"].AsText()}";
        if (_clients.TryGetValue(key, out var known))
            return known;
        // Old ones are those of configurations that are gone; who still needs one makes it again.
        if (_clients.Count >= MaxClients)
        {
            foreach (var old in _clients.Keys)
                _clients.TryRemove(old, out _);
        }
        return _clients.GetOrAdd(key, _ => new HttpMessageInvoker(Handler(service, client["caBundle"].AsText())));
    }

    private SocketsHttpHandler Handler(JsonObject? service, string? caBundle)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            PooledConnectionIdleTimeout = IdleConnections,
            PooledConnectionLifetime = MaxConnectionAge,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Trust(caBundle) },
        };
        if (service is not null)
            handler.ConnectCallback = (context, cancellationToken) => ConnectAsync(service, cancellationToken);
        return handler;
    }

    // Only what the bundle's certificates have signed; without a bundle, what the machine trusts.
    private static RemoteCertificateValidationCallback Trust(string? caBundle)
    {
        if (string.IsNullOrEmpty(caBundle))
            return static (_, _, _, errors) => errors == SslPolicyErrors.None;
        var trusted = CaBundles.Read(Convert.FromBase64String(caBundle));
        return (_, certificate, chain, errors) =>
        {
            if (certificate is not X509Certificate2 shown || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
                return false;
            using var own = new X509Chain();
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.CustomTrustStore.AddRange(trusted);
            own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            own.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuth));
            // What the server shows does not say where this one connects to.
            own.ChainPolicy.DisableCertificateDownloads = true;
            // Above what is trusted nothing counts.
            if (chain is not null)
                own.ChainPolicy.ExtraStore.AddRange(chain.ChainElements.Select(element => element.Certificate).TakeWhile(one => !Holds(trusted, one)).ToArray());
            return own.Build(shown) || EndsIn(trusted, own);
        };
    }

    // Trusted roots are self-signed for the platform. A bundle may hold an intermediate authority alone, which then is where trust begins: that nothing is above it must be all that is wrong.
    private static bool EndsIn(X509Certificate2Collection trusted, X509Chain chain) =>
        chain.ChainStatus.Length > 0 && chain.ChainStatus.All(status => status.Status == X509ChainStatusFlags.PartialChain)
        && chain.ChainElements.Count > 0 && Holds(trusted, chain.ChainElements[^1].Certificate);

    private static bool Holds(X509Certificate2Collection trusted, X509Certificate2 certificate) => trusted.Any(one => one.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));

    private async ValueTask<Stream> ConnectAsync(JsonObject service, CancellationToken cancellationToken)
    {
        var targets = await EndpointsAsync(service["namespace"].AsText() ?? "", service["name"].AsText() ?? "", service["port"].AsInteger() ?? HttpsPort, cancellationToken);
        // In turn; the next one when nobody is there, for a pod that has just gone is ready for a while yet.
        var first = (uint)Interlocked.Increment(ref _turn);
        for (var tried = 0; ; tried++)
        {
            try
            {
                return await ConnectAsync(targets[(int)((first + (uint)tried) % (uint)targets.Count)], cancellationToken);
            }
            catch (SocketException) when (tried < targets.Count - 1)
            {
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        if (target is { Pod: { } pod, Address: IPEndPoint { Port: var port } } && pods is not null)
        {
            try
            {
                if (await pods(pod, port, cancellationToken) is { } stream)
                    return stream;
            }
            catch (Exception unreached) when (unreached is PodStreamException or IOException)
            {
                // Its node may be away while its address still answers; and a server may listen on that address alone.
            }
        }

        return await ConnectAsync(target.Address, cancellationToken);
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint target, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (target is IPEndPoint)
                PassTheMesh(socket);
            await socket.ConnectAsync(target, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A webhook whose namespace asks everybody for mutual TLS is the server's to call all the same. Where its pod runs on this node it is not captured, as the agent's probes are not;
    // on another one its agent connects.
    private static void PassTheMesh(Socket socket)
    {
        const int SolSocket = 1, Mark = 36;   // socket(7)
        try
        {
            socket.SetRawSocketOption(SolSocket, Mark, BitConverter.GetBytes(MeshPorts.SocketMark));
        }
        catch (SocketException)
        {
            // Not root: then no node is here either, whose mesh could be in the way.
        }
    }

    // The server stands outside the pod network's names: it looks up the endpoints itself.
    private async Task<IReadOnlyList<Target>> EndpointsAsync(string ns, string name, long port, CancellationToken cancellationToken)
    {
        var service = objects.Get("", "services", ns, name) ?? throw new HttpRequestException($"service \"{name}\" not found in namespace \"{ns}\"");
        if (service.At("spec", "type").AsText() == "ExternalName")
            return [new Target(new DnsEndPoint(service.At("spec", "externalName").AsText() ?? "", (int)port), null)];
        var wanted = (service.At("spec", "ports") as JsonArray ?? []).FirstOrDefault(item => item.At("port").AsInteger() == port)
            ?? throw new HttpRequestException($"service \"{name}\" has no port {port}");
        var portName = wanted.At("name").AsText() ?? "";

        var (slices, _) = await objects.ListAsync("discovery.k8s.io", "endpointslices", ns, cancellationToken);
        var found = new List<Target>();
        foreach (var slice in slices.Where(slice => slice.At("metadata", "labels", "kubernetes.io/service-name").AsText() == name))
        {
            var targetPort = (slice["ports"] as JsonArray ?? []).FirstOrDefault(item => (item.At("name").AsText() ?? "") == portName).At("port").AsInteger();
            foreach (var endpoint in (slice["endpoints"] as JsonArray ?? []).Where(endpoint => endpoint.At("conditions", "ready").AsBoolean() != false))
            {
                if (targetPort is { } number && IPAddress.TryParse((endpoint.At("addresses") as JsonArray)?.FirstOrDefault().AsText(), out var address))
                    found.Add(new Target(new IPEndPoint(address, (int)number), PodOf(endpoint, ns)));
            }
        }
        return found.Count > 0 ? found : throw new HttpRequestException($"no endpoints available for service \"{name}\"");
    }

    private static PodStreamTarget? PodOf(JsonNode? endpoint, string ns) =>
        endpoint.At("targetRef", "kind").AsText() == "Pod" && endpoint.At("targetRef", "name").AsText() is { } name && endpoint.At("targetRef", "uid").AsText() is { } uid
            ? new PodStreamTarget(endpoint.At("targetRef", "namespace").AsText() ?? ns, name, uid, "") : null;

    /// <param name="Pod">Null: it is none.</param>
    private sealed record Target(EndPoint Address, PodStreamTarget? Pod);
}
