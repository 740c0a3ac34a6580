using System.Text;
using Weft.Api.Core;
using Weft.Control.Mesh;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Tests.Mesh;

/// <summary>What the front door takes of Secrets, and what it never tells.</summary>
public sealed class DoorSecretTests
{
    public static TheoryData<string> Cases => ["ingress-access", "ingress-wrong", "door-policies", "door-policies-wrong", "door-tokens", "door-tokens-wrong", "ingress-tls"];

    [Fact]
    public void Keys_are_hashes_and_passwords_are_never_plain()
    {
        var secret = DoorSecret.Of(Secret(("auth", "a:{PLAIN}open-sesame\nb:$apr1$x$y\nno colon\n#c:d\na:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="), ("acme", "key-of-acme\n"), ("bad name", "x")));
        Assert.Equal(["a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="], secret.Users);
        Assert.Equal(["user b", "line 3"], secret.Unusable);
        Assert.Equal("689febd264f8b977e29c0fdb75f839eb248ba07d1561b14f2b95f42756943245", secret.Keys.Single(key => key.Client == "acme").Sha256);
        Assert.DoesNotContain(secret.Keys, key => key.Client == "bad name");
        Assert.DoesNotContain("open-sesame", string.Join('\n', DoorSecret.Of(Secret(("auth", "a:{PLAIN}open-sesame"))).Users), StringComparison.Ordinal);
        Assert.Equal("Secret shop/s", secret.ToString());
        Assert.False(secret.HasCertificate);
        var tls = DoorSecret.Of(Secret(("tls.crt", "c"), ("tls.key", "k")) with { Type = "kubernetes.io/tls" });
        Assert.True(tls is { HasCertificate: true, Keys.IsEmpty: true, UserEntries.IsEmpty: true });
    }

    [Fact]
    public void Of_a_key_set_only_what_is_public_is_taken()
    {
        var secret = DoorSecret.Of(Secret(("jwks", "\n{\"keys\": [{\"kty\": \"RSA\", \"n\": \"AA\", \"e\": \"AQAB\", \"d\": \"secret-word\", \"p\": \"secret-word\"}, {\"kty\": \"oct\", \"k\": \"secret-word\"}]}"), ("twice", "{\"keys\": [], \"keys\": []}"), ("text", "key"), ("oct", "{\"keys\": [{\"kty\": \"oct\", \"k\": \"secret-word\"}]}")));
        Assert.Equal([new NamedKeySet("jwks", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}")], secret.KeySets);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_secret_is_in_a_unit_or_in_a_diagnostic(string name)
    {
        var read = MeshCase.Read(Path.Combine(MeshCase.Folder(), "world.yaml"), Path.Combine(MeshCase.Folder(), name + ".yaml"));
        var snapshot = MeshCompiler.Compile(read.Inputs);
        var text = UnitText.Of(snapshot, read.SchemaErrors);
        foreach (var secret in new[] { "key-of-", "open-sesame", "secret-word", "cleartext", "hashhashhash" })
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain(snapshot.Diagnostics, problem => problem.Message.Contains("{SHA", StringComparison.Ordinal) || problem.Message.Contains("$2y$", StringComparison.Ordinal));
    }

    [Fact]
    public void Only_secrets_that_are_named_are_looked_at_and_what_is_as_before_is_the_same()
    {
        var inputs = MeshCase.Read(Path.Combine(MeshCase.Folder(), "door-policies.yaml")).Inputs;
        Assert.Equal(["shop/keys", "shop/more-keys", "shop/staff"], DoorSecrets.Named(inputs).Order(StringComparer.Ordinal));
        var asked = new List<string>();
        var secrets = DoorSecrets.Of(inputs with { Secrets = [] }, (@namespace, name) => { asked.Add($"{@namespace}/{name}"); return name == "keys" ? Secret(("first", "k")) with { Metadata = new() { Namespace = @namespace, Name = name } } : null; });
        Assert.Equal(3, asked.Count);
        inputs = inputs with { Secrets = secrets };
        Assert.True(inputs.Secrets == DoorSecrets.Of(inputs, (@namespace, name) => name == "keys" ? Secret(("first", "k")) with { Metadata = new() { Namespace = @namespace, Name = name } } : null));
    }

    [Fact]
    public void Nulls_that_a_definition_of_a_user_lets_in_cost_the_policy_alone()
    {
        var inputs = MeshCase.Read(Path.Combine(MeshCase.Folder(), "world.yaml"), Path.Combine(MeshCase.Folder(), "seed-004-my-app.yaml")).Inputs with
        {
            ApiKeyPolicies = [new() { Metadata = new() { Namespace = "shop", Name = "a" }, Spec = null! }, new() { Metadata = new() { Namespace = "shop", Name = "b" }, Spec = new() { TargetRefs = [null!, new() { Kind = null!, Name = null! }], Consumers = null!, SecretRefs = [null!] } }],
            JwtPolicies = [new() { Metadata = new() { Namespace = "shop", Name = "a" }, Spec = null! }, new() { Metadata = new() { Namespace = "shop", Name = "b" }, Spec = new() { TargetRefs = null!, Issuers = [null!], RequiredClaims = [null!], RequiredScopes = [null!] } }],
            BasicAuthPolicies = [new() { Metadata = new() { Namespace = "shop", Name = "a" }, Spec = new() { TargetRefs = null!, SecretRef = null! } }],
        };
        Assert.Empty(DoorSecrets.Named(inputs));
        var snapshot = MeshCompiler.Compile(inputs);
        Assert.Contains(snapshot.Units, unit => unit.Key.Name == "gateway/80/my-app.example.com");
        Assert.Equal(["a", "a", "a", "b", "b"], snapshot.Diagnostics.Select(problem => $"{problem.Object.Kind[0]}{problem.Object.Name}").Distinct().Select(text => text[1..]).Order(StringComparer.Ordinal));
    }

    private static Secret Secret(params (string Key, string Value)[] entries) => new()
    {
        Metadata = new() { Namespace = "shop", Name = "s" }, Data = entries.ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetBytes(entry.Value)),
    };
}
