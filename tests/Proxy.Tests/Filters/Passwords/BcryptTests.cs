using System.Diagnostics;
using System.Text;
using Weft.Proxy.Filters.Authentication.Passwords;

namespace Weft.Proxy.Tests.Filters.Passwords;

public sealed class BcryptTests
{
    // Schneier's published tables: the first key, and the last word of the last box.
    [Fact]
    public void Pi_is_computed_to_its_last_word()
    {
        var words = PiDigits.Words(18 + 1024);
        Assert.Equal([0x243F6A88u, 0x85A308D3u, 0x13198A2Eu, 0x03707344u], words[..4]);
        Assert.Equal(0x3AC372E6u, words[^1]);
    }

    [Theory]
    [InlineData("4", "secret")]
    [InlineData("5", "")]
    [InlineData("6", "sésame öffne dich €")]
    [InlineData("4", "a:b:c")]
    [InlineData("4", "72 bytes are looked at; this one has more of them than that, as some pass phrases do")]
    public async Task What_htpasswd_writes_opens_and_nothing_else(string cost, string password)
    {
        var hash = BcryptHash.Parse(await HtpasswdAsync(cost, password));

        Assert.Equal(int.Parse(cost), hash.Cost);
        Assert.True(hash.Verify(Encoding.UTF8.GetBytes(password)));
        Assert.False(hash.Verify(Encoding.UTF8.GetBytes("x" + password)));
        Assert.False(hash.Verify([.. Encoding.UTF8.GetBytes(password), 0]));
        if (password.Length is > 0 and < 72)
            Assert.False(hash.Verify(Encoding.UTF8.GetBytes(password)[..^1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$2y$05$short")]
    [InlineData("$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe!")]
    [InlineData("$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2y$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    public void What_is_none_or_takes_too_long_is_refused_without_showing_it(string text)
    {
        var refusal = Assert.Throws<ArgumentException>(() => BcryptHash.Parse(text));
        Assert.DoesNotContain("CCCC", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_was_good_is_known_and_a_name_that_nobody_has_takes_the_same_work()
    {
        // Of crypt_blowfish's own checks: the password is U*U.
        var table = new PasswordTable("ada:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\nbob:{PLAIN}x\n");

        Assert.False(table.Find("ada", "no"u8).Check!());
        Assert.NotNull(table.Find("ada", "U*U"u8).Check);
        Assert.True(table.Find("ada", "U*U"u8).Check!());
        var known = table.Find("ada", "U*U"u8);
        Assert.Equal(("ada", null), (known.Client!.Principal, known.Check));
        Assert.NotNull(table.Find("ada", "U*U "u8).Check);
        Assert.False(table.Find("eve", "U*U"u8).Check!());
        Assert.NotNull(table.Find("eve", "U*U"u8).Check);
        Assert.Equal("bob", table.Find("bob", "x"u8).Client?.Principal);
        Assert.False(table.Find("bob", "y"u8).Check!());
    }

    /// <summary>The work stands for the time: a check of cost c is 2^c turns.</summary>
    [Fact]
    public void Each_refusal_of_a_table_is_the_same_work_whatever_is_known_of_the_name()
    {
        const string Rest = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        var turns = 0;
        var table = new PasswordTable(
            $"low:$2a$04${Rest}\nmiddle:$2a$07${Rest}\nhigh:$2y$12${Rest}\nsha:{{SHA}}{Convert.ToBase64String(new byte[20])}\nplain:{{PLAIN}}x\n",
            (hash, password) =>
            {
                Assert.Equal("no"u8, password);
                turns += 1 << hash.Cost;
                return false;
            });
        foreach (var name in new[] { "low", "middle", "high", "sha", "plain", "nobody", "" })
        {
            turns = 0;
            Assert.False(table.Find(name, "no"u8).Check!());
            Assert.Equal((name, 1 << 12), (name, turns));
        }

        Assert.Equal("plain", table.Find("plain", "x"u8).Client?.Principal);
        Assert.Null(table.Find("plain", "x"u8).Check);
    }

    [Fact]
    public void A_table_of_fast_hashes_says_at_once_whose_password_it_is()
    {
        var table = new PasswordTable("bob:{PLAIN}x\n");
        Assert.Equal("bob", table.Find("bob", "x"u8).Client?.Principal);
        foreach (var name in new[] { "bob", "eve" })
            Assert.Equal(default, table.Find(name, "y"u8));
    }

    internal static async Task<string> HtpasswdAsync(string cost, string password)
    {
        var start = new ProcessStartInfo("htpasswd", ["-niB", "-C", cost, "one"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var tool = Process.Start(start)!;
        await tool.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(password));
        tool.StandardInput.Close();
        var line = await tool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await tool.WaitForExitAsync(TestContext.Current.CancellationToken);
        return line.Trim()["one:".Length..];
    }
}
