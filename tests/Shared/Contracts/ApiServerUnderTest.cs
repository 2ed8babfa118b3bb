using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Contracts;

/// <summary>An API server that a contract runs against: how to reach it as its administrator and as any other user.</summary>
public abstract class ApiServerUnderTest : IAsyncDisposable
{
    private int _files;

    protected ApiServerUnderTest() => Directory = System.IO.Directory.CreateTempSubdirectory("mt-api-").FullName;

    /// <summary>Its own directory, removed with the server.</summary>
    public string Directory { get; }

    /// <summary>Where it listens.</summary>
    public abstract Uri Server { get; }

    /// <summary>A member of system:masters.</summary>
    public abstract string AdministratorKubeconfig { get; }

    /// <summary>The administrator's kubeconfig as a file.</summary>
    public string AdministratorKubeconfigPath { get; private set; } = "";

    /// <summary>Creates a user of this server; returns when its permissions are in effect.</summary>
    public abstract Task<string> AddUserAsync(string name, IReadOnlyList<string> groups, IReadOnlyList<UserGrant> grants);

    /// <summary>A kubeconfig in a file that only the current user can read.</summary>
    public string WriteKubeconfig(string text)
    {
        var path = Path.Combine(Directory, $"kubeconfig-{Interlocked.Increment(ref _files)}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(path, options);
        writer.Write(text);
        return path;
    }

    /// <summary>The same, as the library accepts it.</summary>
    public ClusterAccess Access(string kubeconfig) => new()
    {
        Name = ClusterName.Parse("east"),
        KubeconfigPath = WriteKubeconfig(kubeconfig),
        ContextName = ClientCredentials.Parse(kubeconfig).Context,
    };

    /// <summary>Removes a namespace with its contents, on a server without controllers.</summary>
    public async Task PurgeNamespaceAsync(string name)
    {
        using var client = new RawApiClient(ClientCredentials.Parse(AdministratorKubeconfig));
        foreach (var resource in (string[])["secrets", "configmaps"]) (await client.DeleteAsync($"/api/v1/namespaces/{name}/{resource}")).Gives(200);
        await client.DeleteAsync($"/api/v1/namespaces/{name}");
        var held = await client.GetAsync($"/api/v1/namespaces/{name}");
        if (held.Code == 404) return;
        var body = held.Json;
        body["spec"] = new JsonObject { ["finalizers"] = new JsonArray() };
        (await client.PutAsync($"/api/v1/namespaces/{name}/finalize", body)).Gives(200);
        await Eventually.IsTrueAsync($"namespace {name} is gone", async () => (await client.GetAsync($"/api/v1/namespaces/{name}")).Code == 404);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (System.IO.Directory.Exists(Directory)) System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the server. Called once.</summary>
    protected abstract Task StopAsync();

    /// <summary>Called by the code that started it.</summary>
    protected void Started() => AdministratorKubeconfigPath = WriteKubeconfig(AdministratorKubeconfig);
}
