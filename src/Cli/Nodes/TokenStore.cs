using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Joining;
using Weft.Client;

namespace Weft.Cli.Nodes;

/// <param name="Expires">Null: never.</param>
public sealed record StoredToken(string Id, DateTimeOffset? Created, DateTimeOffset? Expires, string Description)
{
    public bool IsOver(DateTimeOffset now) => Expires <= now;
}

/// <summary>The cluster's join tokens: Secrets of kube-system that hold the hash of each, never the token.</summary>
public sealed class TokenStore(KubeClient client, TimeProvider time)
{
    private readonly ResourceClient<Secret> _secrets = client.For<Secret>();

    /// <param name="life">Null: until it is revoked.</param>
    public async Task<JoinToken> CreateAsync(string authorityPem, TimeSpan? life, string description, CancellationToken cancellationToken)
    {
        using var authority = X509Certificate2.CreateFromPem(authorityPem);
        var token = JoinToken.Create(authority.RawDataMemory.Span);
        await RemoveOverAsync(cancellationToken);
        var data = new Dictionary<string, byte[]> { [JoinToken.HashKey] = Encode(JoinToken.HashOfSecret(token.Secret)), [JoinToken.DescriptionKey] = Encode(description) };
        if (life is { } span)
            data[JoinToken.ExpiresKey] = Encode((time.GetUtcNow() + span).ToString("O", CultureInfo.InvariantCulture));
        await _secrets.CreateAsync(JoinToken.SecretNamespace, new Secret
        {
            Metadata = new ObjectMeta { Name = JoinToken.SecretPrefix + token.Id, Namespace = JoinToken.SecretNamespace },
            Type = JoinToken.SecretType,
            Data = data,
        }, cancellationToken);
        return token;
    }

    public async Task<IReadOnlyList<StoredToken>> ListAsync(CancellationToken cancellationToken)
    {
        var secrets = await _secrets.ListAsync(JoinToken.SecretNamespace, cancellationToken, new ListOptions { FieldSelector = "type=" + JoinToken.SecretType });
        return [.. secrets.Items.Select(Read).OrderBy(token => token.Created)];
    }

    /// <returns>False when there is none with this id.</returns>
    public Task<bool> RevokeAsync(string id, CancellationToken cancellationToken) =>
        _secrets.DeleteIfThereAsync(new ObjectKey(JoinToken.SecretNamespace, JoinToken.SecretPrefix + id), cancellationToken);

    private async Task RemoveOverAsync(CancellationToken cancellationToken)
    {
        foreach (var old in (await ListAsync(cancellationToken)).Where(token => token.IsOver(time.GetUtcNow())))
            await RevokeAsync(old.Id, cancellationToken);
    }

    private static StoredToken Read(Secret secret) => new(
        (secret.Metadata.Name ?? "")[Math.Min(JoinToken.SecretPrefix.Length, (secret.Metadata.Name ?? "").Length)..],
        secret.Metadata.CreationTimestamp,
        DateTimeOffset.TryParse(Decode(secret, JoinToken.ExpiresKey), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires) ? expires : null,
        Decode(secret, JoinToken.DescriptionKey) ?? "");

    private static byte[] Encode(string text) => Encoding.UTF8.GetBytes(text);

    private static string? Decode(Secret secret, string key) => secret.Data.GetValueOrDefault(key) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;
}
