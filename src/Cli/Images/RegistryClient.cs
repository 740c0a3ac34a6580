using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Cli.Clusters;
using Weft.Cli.Objects;
using Weft.Registry.Access;
using Weft.Registry.Manifests;
using Weft.Registry.Names;

namespace Weft.Cli.Images;

/// <summary>The cluster's registry, over HTTP as everybody else: what works here works with docker and skopeo.</summary>
internal sealed class RegistryClient : IDisposable
{
    private readonly HttpClient _http;

    internal RegistryClient(int port, string? password)
    {
        Host = $"127.0.0.1:{port}";
        // Large layers take their time; whoever waits may press Ctrl+C.
        _http = new HttpClient { BaseAddress = new Uri($"http://{Host}"), Timeout = Timeout.InfiniteTimeSpan };
        if (password is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{PushPassword.UserName}:{password}")));
        foreach (var type in new[] { MediaTypes.OciIndex, MediaTypes.OciManifest, MediaTypes.DockerIndex, MediaTypes.DockerManifest })
            _http.DefaultRequestHeaders.Accept.ParseAdd(type);
    }

    internal string Host { get; }

    /// <param name="toChange">Needs the password, which root alone may read.</param>
    internal static RegistryClient Connect(ClusterPaths paths, bool toChange)
    {
        var settings = ClusterSettings.Load(paths.Settings);
        if (settings is null or { RegistryPort: 0 })
            throw new CommandException($"there is no cluster '{paths.Name}' with a registry in {paths.DataDir}: start it with 'sudo weft up'");
        if (!toChange)
            return new(settings.RegistryPort, null);
        try
        {
            return new(settings.RegistryPort, PushPassword.Read(paths.RegistryPassword));
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandException($"{paths.RegistryPassword} is for root alone: run it with sudo");
        }
        catch (FileNotFoundException)
        {
            throw new CommandException($"there is no {paths.RegistryPassword}: it is made when the cluster starts (sudo weft up)");
        }
    }

    internal async Task<bool> HasBlobAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new(HttpMethod.Head, $"/v2/{repository.Full}/blobs/{digest}"), cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound ? false : await RequireAsync(answer, cancellationToken);
    }

    internal async Task PushBlobAsync(RepositoryName repository, Digest digest, Stream content, CancellationToken cancellationToken)
    {
        using var begun = await SendAsync(new(HttpMethod.Post, $"/v2/{repository.Full}/blobs/uploads/"), cancellationToken);
        await RequireAsync(begun, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{begun.Headers.Location}?digest={digest}") { Content = new StreamContent(content) };
        request.Content.Headers.ContentType = new("application/octet-stream");
        using var done = await SendAsync(request, cancellationToken);
        await RequireAsync(done, cancellationToken);
    }

    internal async Task PushManifestAsync(RepositoryName repository, string reference, string type, byte[] content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v2/{repository.Full}/manifests/{reference}") { Content = new ByteArrayContent(content) };
        request.Content.Headers.ContentType = new(type);
        using var answer = await SendAsync(request, cancellationToken);
        await RequireAsync(answer, cancellationToken);
    }

    /// <returns>Null when it is not there.</returns>
    internal async Task<(Digest Digest, Manifest Manifest)?> GetManifestAsync(RepositoryName repository, string reference, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new(HttpMethod.Get, $"/v2/{repository.Full}/manifests/{reference}"), cancellationToken);
        if (answer.StatusCode == HttpStatusCode.NotFound)
            return null;
        await RequireAsync(answer, cancellationToken);
        var content = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return (Digest.Of(content), Manifest.Parse(answer.Content.Headers.ContentType?.MediaType, content));
    }

    internal async Task<bool> DeleteAsync(ImageReference image, CancellationToken cancellationToken)
    {
        using var answer = await SendAsync(new(HttpMethod.Delete, $"/v2/{image.Repository.Full}/manifests/{image.Reference}"), cancellationToken);
        return answer.StatusCode == HttpStatusCode.NotFound ? false : await RequireAsync(answer, cancellationToken);
    }

    internal Task<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancellationToken) => NamesAsync("/v2/_catalog", "repositories", cancellationToken);

    internal Task<IReadOnlyList<string>> TagsAsync(RepositoryName repository, CancellationToken cancellationToken) => NamesAsync($"/v2/{repository.Full}/tags/list", "tags", cancellationToken);

    private async Task<IReadOnlyList<string>> NamesAsync(string path, string member, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        for (var more = true; more;)
        {
            using var answer = await SendAsync(new(HttpMethod.Get, path + (names.Count > 0 ? "?last=" + Uri.EscapeDataString(names[^1]) : "")), cancellationToken);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                return names; // its last tag was removed a moment ago
            await RequireAsync(answer, cancellationToken);
            var page = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))![member]!.AsArray().Select(name => (string)name!).ToList();
            names.AddRange(page);
            more = answer.Headers.Contains("Link") && page.Count > 0;
        }

        return names;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException unreachable)
        {
            throw new CommandException($"the registry on {Host} does not answer ({unreachable.Message}); is the cluster up? (weft status)");
        }
    }

    private static async Task<bool> RequireAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.IsSuccessStatusCode)
            return true;
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        throw new CommandException($"the registry refused: {Reason(text) ?? answer.ReasonPhrase}");
    }

    private static string? Reason(string text)
    {
        try
        {
            return (string?)JsonNode.Parse(text)?["errors"]?[0]?["message"];
        }
        catch (Exception none) when (none is JsonException or InvalidOperationException)
        {
            return null; // another program has the port
        }
    }

    public void Dispose() => _http.Dispose();
}
