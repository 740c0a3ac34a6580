/// <summary>One request of a program that has no server: prints the status and the answer.</summary>
internal static class Asking
{
    internal static async Task<int> RunAsync(HttpMethod method, string address)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var request = new HttpRequestMessage(method, address);
            using var response = await client.SendAsync(request);
            Console.WriteLine($"{(int)response.StatusCode} {(await response.Content.ReadAsStringAsync()).Trim()}");
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException or UriFormatException or InvalidOperationException)
        {
            Console.WriteLine($"no answer: {failed.Message}");
            return 1;
        }
    }
}
