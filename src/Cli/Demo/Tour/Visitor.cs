using System.Net.Http.Headers;

namespace Weft.Cli.Demo.Tour;

/// <summary>Somebody outside of the cluster, who knows an address.</summary>
internal sealed class Visitor : IDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };

    internal async Task<Visit> AskAsync(string address, CancellationToken cancellationToken, string? header = null, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (header is not null)
            request.Headers.Add(header.Split(": ")[0], header.Split(": ")[1]);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            return Visit.Read((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(0, failed.Message, null, null);
        }
    }

    internal async Task<IReadOnlyList<Visit>> AskAsync(string address, int times, CancellationToken cancellationToken, string? header = null)
    {
        var visits = new List<Visit>(times);
        for (var i = 0; i < times; i++)
            visits.Add(await AskAsync(address, cancellationToken, header));
        return visits;
    }

    public void Dispose() => _client.Dispose();
}
