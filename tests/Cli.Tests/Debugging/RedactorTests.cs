using System.Text.Json.Nodes;
using Weft.Api.Joining;
using Weft.Cli.Debugging;

namespace Weft.Cli.Tests.Debugging;

public sealed class RedactorTests
{
    [Fact]
    public void Values_of_a_secret_go_and_so_does_the_copy_that_kubectl_keeps()
    {
        var secret = JsonNode.Parse("""
            {"kind": "Secret", "metadata": {"name": "s", "managedFields": [], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"aHVudGVy\"}}"}},
             "data": {"a": "aHVudGVy"}, "stringData": {"b": "hunter"}}
            """)!.AsObject();
        var text = Redactor.Object(secret).ToJsonString();
        Assert.DoesNotContain("aHVudGVy", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter", text, StringComparison.Ordinal);
        Assert.Contains("\"a\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_with_telling_names_lose_their_values_and_others_keep_them()
    {
        var pod = JsonNode.Parse("""{"kind": "Pod", "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "COLOUR", "value": "green"}]}]}}""")!.AsObject();
        var text = Redactor.Object(pod).ToJsonString();
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.Contains("green", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIExample+/=\n-----END EC PRIVATE KEY-----", "MHcC")]
    [InlineData("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop")]
    [InlineData("x eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl y", "eyJzdWIi")]
    [InlineData("weft agent --token hunter2hunter2 --name a", "hunter2")]
    [InlineData("password: hunter2", "hunter2")]
    [InlineData("see postgres://shop:hunter2@db.example/orders", "hunter2")]
    [InlineData("\"client-key-data\": \"LS0tLS1CRUdJTg==\"", "LS0tLS1")]
    public void Keys_tokens_and_passwords_go_from_text(string text, string secret) => Assert.DoesNotContain(secret, Redactor.Text(text), StringComparison.Ordinal);

    [Fact]
    public void A_join_token_goes_wherever_it_stands()
    {
        var token = JoinToken.Create([1, 2, 3]);
        Assert.DoesNotContain(token.Secret, Redactor.Text($"a {token.Text} b"), StringComparison.Ordinal);
        Assert.DoesNotContain(token.Secret, token.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Ordinary_lines_stay_as_they_are()
    {
        const string line = "2026-11-21T02:10:52.494Z info Node.Agent: Node a (10.0.0.1) runs pods in 10.244.2.0/24";
        Assert.Equal(line, Redactor.Text(line));
    }
}
