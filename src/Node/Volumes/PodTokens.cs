using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Node.Volumes;

/// <summary>Tokens of service accounts, bound to their pod, asked for again at 80 % of their life or after a day (the kubelet's rule).</summary>
internal sealed class PodTokens(KubeClient client, TimeProvider time)
{
    // The API's least and default life.
    private const long DefaultSeconds = 3600;
    private static readonly TimeSpan Oldest = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<(string Uid, string Audience, long Seconds), Held> _held = new();

    private sealed record Held(string Token, DateTimeOffset RenewAt, DateTimeOffset Expires);

    /// <summary>The token, and when to come again for the next.</summary>
    public async Task<(string Token, DateTimeOffset RenewAt)> GetAsync(Pod pod, ServiceAccountTokenProjection source, CancellationToken cancellationToken)
    {
        var key = (pod.Metadata.Uid!, source.Audience ?? "", source.ExpirationSeconds ?? DefaultSeconds);
        var now = time.GetUtcNow();
        if (_held.TryGetValue(key, out var held) && held.RenewAt > now)
            return (held.Token, held.RenewAt);

        var spec = new JsonObject
        {
            ["audiences"] = source.Audience is { Length: > 0 } audience ? new JsonArray(audience) : new JsonArray(),
            ["expirationSeconds"] = key.Item3,
            ["boundObjectRef"] = new JsonObject { ["kind"] = "Pod", ["apiVersion"] = "v1", ["name"] = pod.Metadata.Name, ["uid"] = pod.Metadata.Uid },
        };
        var account = pod.Spec.ServiceAccountName is { Length: > 0 } name ? name : "default";
        JsonObject answer;
        try
        {
            answer = await client.For<ServiceAccount>().PostAsync(
                new ObjectKey(pod.Metadata.Namespace!, account), "token",
                new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = spec }, cancellationToken);
        }
        catch (ApiStatusException) when (held is not null && held.Expires > now)
        {
            // The old one still holds: better it than none. It is asked for again soon.
            return (held.Token, now + TimeSpan.FromSeconds(30));
        }

        var token = (string?)answer["status"]?["token"] ?? throw new VolumeException($"no token was issued for service account '{account}'");
        var expires = DateTimeOffset.TryParse((string?)answer["status"]?["expirationTimestamp"], out var at) ? at : now.AddSeconds(key.Item3);
        var life = (expires - now) * 0.8;
        held = new Held(token, now + (life < Oldest ? life : Oldest), expires);
        _held[key] = held;
        return (held.Token, held.RenewAt);
    }

    public void Forget(string podUid)
    {
        foreach (var key in _held.Keys.Where(k => k.Uid == podUid))
            _held.TryRemove(key, out _);
    }
}
