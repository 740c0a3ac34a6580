using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Joining;

namespace Weft.Client.Joining;

/// <summary>The cluster does not let this node in; the message says why and what to do.</summary>
public sealed class JoinRefusedException(string message) : Exception(message);

/// <summary>Gets a node's certificate: first for a token, later for the certificate that it has.</summary>
public static class JoinClient
{
    // A server that does not answer a join within this is as good as none: the caller tries again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <exception cref="JoinRefusedException">Trying again would not help.</exception>
    /// <exception cref="HttpRequestException">The server is not there yet.</exception>
    public static async Task<(NodeCredentials Credentials, JoinAnswer Answer)> JoinAsync(
        Uri server, JoinToken token, string nodeName, string directory, CancellationToken cancellationToken)
    {
        var authority = await AuthorityAsync(server, token, cancellationToken);
        var (key, signingRequest) = NodeCredentials.NewRequest(nodeName);
        using (key)
        {
            using var http = new HttpClient(NodeCredentials.CreateHandler(authority)) { Timeout = Patience };
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, JoinPaths.Join))
            {
                Content = JsonContent.Create(new JoinRequest(nodeName, signingRequest), JoinJson.Default.JoinRequest),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Credential);
            using var response = await SendAsync(http, request, cancellationToken);
            var answer = await ReadAsync(response, JoinJson.Default.JoinAnswer, cancellationToken);
            return (NodeCredentials.Save(directory, key, answer.Certificate, authority), answer);
        }
    }

    public static async Task RenewAsync(Uri server, string nodeName, NodeCredentials credentials, CancellationToken cancellationToken)
    {
        var (key, signingRequest) = NodeCredentials.NewRequest(nodeName);
        using (key)
            credentials.Renewed(key, await SignedAsync(server, JoinPaths.Renew, signingRequest, credentials, cancellationToken));
    }

    /// <summary>Whether the cluster has a mesh now; null: the server does not say, being an older one.</summary>
    /// <exception cref="HttpRequestException">The server is not there yet.</exception>
    public static async Task<bool?> HasMeshAsync(Uri server, NodeCredentials credentials, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(credentials.CreateHandler()) { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, JoinPaths.Cluster));
        try
        {
            using var response = await SendAsync(http, request, cancellationToken);
            return (await ReadAsync(response, JoinJson.Default.ClusterAnswer, cancellationToken)).Mesh;
        }
        catch (JoinRefusedException)
        {
            return null;
        }
    }

    /// <summary>A new key and certificate for the node's proxy, in PEM.</summary>
    public static async Task<(string Key, string Certificate)> ProxyAsync(Uri server, string nodeName, NodeCredentials credentials, CancellationToken cancellationToken)
    {
        var (key, signingRequest) = NodeCredentials.NewRequest(nodeName);
        using (key)
        {
            var certificate = await SignedAsync(server, JoinPaths.Proxy, signingRequest, credentials, cancellationToken);
            return (key.ExportECPrivateKeyPem() + "\n", certificate);
        }
    }

    private static async Task<string> SignedAsync(Uri server, string path, string signingRequest, NodeCredentials credentials, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(credentials.CreateHandler()) { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, path))
        {
            Content = JsonContent.Create(new RenewMessage(signingRequest, null), JoinJson.Default.RenewMessage),
        };
        using var response = await SendAsync(http, request, cancellationToken);
        var answer = await ReadAsync(response, JoinJson.Default.RenewMessage, cancellationToken);
        return answer.Certificate ?? throw new JoinRefusedException("the server's answer has no certificate");
    }

    // Fetched from a server that nobody vouches for yet; only the token's hash makes it trusted, before the token's secret is sent.
    private static async Task<string> AuthorityAsync(Uri server, JoinToken token, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new ClusterAccess { Server = server, SkipServerCheck = true }.CreateHandler()) { Timeout = Patience, MaxResponseContentBufferSize = 64 * 1024 };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, JoinPaths.Authority));
        using var response = await SendAsync(http, request, cancellationToken);
        var pem = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            if (JoinToken.HashOfAuthority(certificate.RawDataMemory.Span) == token.AuthorityHash)
                return pem;
        }
        catch (CryptographicException)
        {
            // No certificate at all: not the cluster of the token either.
        }

        throw new JoinRefusedException($"{server} is not the cluster that the token was made in (its authority has another hash): check the address, or make a token there with 'weft token create'");
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await http.SendAsync(request, cancellationToken);
        }
        catch (TaskCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{request.RequestUri} does not answer", late);
        }

        if (response.IsSuccessStatusCode)
            return response;
        using (response)
        {
            var why = await MessageAsync(response, cancellationToken);
            throw response.StatusCode switch
            {
                HttpStatusCode.Unauthorized => new JoinRefusedException("the token is wrong, has expired or was revoked: make a new one with 'weft token create'"),
                HttpStatusCode.Conflict or HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.NotFound => new JoinRefusedException(why),
                _ => new HttpRequestException(why),
            };
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException("null");
        }
        catch (JsonException broken)
        {
            throw new JoinRefusedException("the server's answer cannot be read (is it an older weft?): " + broken.Message);
        }
    }

    private static async Task<string> MessageAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            return (string?)JsonNode.Parse(text)?["message"] ?? $"the server answered {(int)response.StatusCode}";
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            return $"the server answered {(int)response.StatusCode}";
        }
    }
}
