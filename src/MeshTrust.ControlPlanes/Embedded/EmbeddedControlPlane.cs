using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;
using MeshTrust.Settings;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The options of one embedded API server.</summary>
public sealed record EmbeddedControlPlaneOptions
{
    /// <summary>The cluster's name: it becomes the name of cluster, context and user in the kubeconfig.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>Where objects and credentials are kept between runs (absolute path); null keeps everything in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>The port on 127.0.0.1, which must be free; 0 uses the port of the last run if that is free, else any.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Whether deleting a namespace removes its content and then the namespace, as kube-controller-manager does.
    /// False behaves like a bare API server: the namespace stays in phase Terminating until it is finalized.
    /// </summary>
    public bool DeletesNamespaces { get; init; } = true;

    /// <summary>How many past changes a watch can start from; for older ones it gets 410 Gone. At least 1.</summary>
    public int WatchHistory { get; init; } = 1024;

    /// <summary>How often a watch gets a bookmark, if its client requests them.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock for timestamps and for the validity of certificates.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Middleware that each request passes first, as in ASP.NET Core: it can answer itself, wait, abort the connection, or change the
    /// response of the server (its second argument). Tests use it to inject failures. Called concurrently.
    /// </summary>
    public Func<HttpContext, RequestDelegate, Task>? Middleware { get; init; }
}

/// <summary>
/// A Kubernetes API server in this process, on loopback only, with its own CA and credentials. It stores namespaces, secrets,
/// configmaps, events, service accounts and RBAC's roles and bindings, and answers like kube-apiserver; docs/embedded.md lists what it does
/// not support. It reads no configuration or environment,
/// writes no log and handles no signal.
/// </summary>
public sealed class EmbeddedControlPlane : IAsyncDisposable
{
    // What a new cluster holds.
    private static readonly (ObjectKind Kind, JsonObject Body)[] SystemObjects =
    [
        .. new[] { "default", "kube-node-lease", "kube-public", "kube-system" }.Select(name =>
            (ObjectKind.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } })),
        .. AccessRules.Defaults(),
    ];

    private readonly EmbeddedControlPlaneOptions _options;
    private readonly ServerIdentity _identity;
    private readonly AccessRules _rules;
    private readonly ApiServer _server;
    private readonly KestrelHost _host;
    private readonly FileLock? _lock;
    private int _disposed;

    private EmbeddedControlPlane(
        EmbeddedControlPlaneOptions options, ServerIdentity identity, AccessRules rules, ApiServer server, KestrelHost host,
        FileLock? stateLock)
    {
        (_options, _identity, _rules, _server, _host, _lock) = (options, identity, rules, server, host, stateLock);
        Server = Address(host.Port);
        KubeconfigText = identity.Kubeconfig(options.Name.Value, Server);
    }

    /// <summary>Where it listens: <c>https://127.0.0.1:port/</c>.</summary>
    public Uri Server { get; }

    /// <summary>The administrator's kubeconfig (group <c>system:masters</c>), with certificates and key inline: it is secret.</summary>
    public string KubeconfigText { get; }

    /// <summary>Whether there is state from an earlier run.</summary>
    internal bool WasThere { get; private init; }

    /// <summary>How many user objects there are from an earlier run.</summary>
    internal int Kept { get; private init; }

    /// <summary>Starts a server. It is ready when this returns, and every write it acknowledges is in the state directory.</summary>
    /// <exception cref="MeshTrustException">
    /// MT2001 the state cannot be read, MT2002 another server uses it, MT2004 the port is taken, MT1001 to MT1004 the disk.
    /// </exception>
    public static async Task<EmbeddedControlPlane> StartAsync(EmbeddedControlPlaneOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.StateDirectory is not { } path) return await StartAsync(options, null, null, cancellationToken).ConfigureAwait(false);
        var state = new StateDirectory(path, options.Name.Value);
        state.Create();
        return await TryStartAsync(options, state, cancellationToken).ConfigureAwait(false)
            ?? throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2002", path,
                $"Another server is using the state of embedded cluster '{options.Name}'.",
                "Stop it first, or use a different directory."));
    }

    /// <summary>The same for an existing state; null if another server holds its lock.</summary>
    internal static async Task<EmbeddedControlPlane?> TryStartAsync(
        EmbeddedControlPlaneOptions options, StateDirectory state, CancellationToken cancellationToken)
    {
        if (state.TryLock() is not { } stateLock) return null;
        try
        {
            return await StartAsync(options, state, stateLock, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            stateLock.Dispose();
            throw;
        }
    }

    /// <summary>Creates a user with rights beyond those of every user; the grants last until the server stops.</summary>
    /// <param name="name">The user's name: the certificate's CN.</param>
    /// <param name="groups">The user's groups: the certificate's O.</param>
    /// <param name="grants">What the user may do; a second call for the same name replaces them.</param>
    /// <returns>The user's kubeconfig: it is secret.</returns>
    public string AddUser(string name, IReadOnlyList<string> groups, IReadOnlyList<AccessGrant> grants)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(grants);
        var credential = _identity.Ca.IssueUser(name, groups, _options.TimeProvider.GetUtcNow());
        _rules.Grant(name, grants);
        return credential.ToKubeconfig(_options.Name.Value, Server, _identity.Ca.CertificatePem);
    }

    /// <summary>Ends open watches, lets requests in flight finish briefly, and stops. The state stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _server.Stop();
        await _host.DisposeAsync().ConfigureAwait(false);
        _server.Dispose();
        _identity.Dispose();
        _lock?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"embedded cluster {_options.Name} at {Server}";

    internal static Uri Address(int port) => new($"https://127.0.0.1:{port}/");

    /// <summary>How many of these objects the server did not create itself.</summary>
    internal static int CountOfUsers(IEnumerable<StoredObject> objects) =>
        objects.Count(o => !SystemObjects.Any(s => s.Kind == o.Kind && NameOf(s.Body) == o.Name));

    private static async Task<EmbeddedControlPlane> StartAsync(
        EmbeddedControlPlaneOptions options, StateDirectory? state, FileLock? stateLock, CancellationToken cancellationToken)
    {
        var clock = options.TimeProvider;
        if (state is not null) AtomicFile.Sweep(state.Path);
        var (revision, objects) = state?.LoadObjects() ?? (0, []);
        var identity = IdentityOf(options, state);
        var registry = Registry(options, state, revision, objects);
        var rules = new AccessRules(registry.Store);
        var tokens = new ServiceAccountTokens(identity.Ca.Certificate, registry.Store, clock);
        var endpoint = new ObjectEndpoint(registry, tokens, clock, options.BookmarkInterval);
        var server = new ApiServer(new Authentication(identity.Ca.Certificate, tokens, clock), rules, tokens, endpoint);
        RequestDelegate handler = options.Middleware is { } first ? context => first(context, server.HandleAsync) : server.HandleAsync;
        KestrelHost? host = null;
        try
        {
            var port = options.Port != 0 ? options.Port : state?.ReadPort() ?? 0;
            host = await KestrelHost.StartAsync(port, options.Port == 0, identity.Server.ToCertificate, handler, cancellationToken)
                .ConfigureAwait(false);
            state?.SavePort(host.Port);
            return new(options, identity, rules, server, host, stateLock) { WasThere = revision > 0, Kept = CountOfUsers(objects) };
        }
        catch (Exception e)
        {
            if (host is not null) await host.DisposeAsync().ConfigureAwait(false);
            server.Dispose();
            identity.Dispose();
            if (!KestrelHost.IsBindFailure(e)) throw;
            var location = Address(options.Port).GetLeftPart(UriPartial.Authority);
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2004", location,
                $"Embedded cluster '{options.Name}' cannot listen on this port: it is in use or not allowed.",
                "Stop the program that uses the port, or use another port; 0 uses any free one."));
        }
    }

    private static string NameOf(JsonObject body) => ApiJson.TextAt(body, "metadata", "name")!;

    private static ServerIdentity IdentityOf(EmbeddedControlPlaneOptions options, StateDirectory? state)
    {
        var now = options.TimeProvider.GetUtcNow();
        var old = state?.LoadIdentity();
        if (old is not null && old.IsFresh(now)) return old;
        old?.Dispose();
        var identity = ServerIdentity.Create(options.Name.Value, now);
        state?.SaveIdentity(identity);
        return identity;
    }

    // The content of a new cluster is created in memory and saved at once: a killed start leaves nothing, or all of it.
    private static ObjectRegistry Registry(
        EmbeddedControlPlaneOptions options, StateDirectory? state, long revision, IReadOnlyList<StoredObject> objects)
    {
        var saves = false;
        var store = new ObjectStore(revision, objects, options.WatchHistory, (r, all) =>
        {
            if (saves) state?.SaveObjects(r, all);
        });
        var registry = new ObjectRegistry(store, options.TimeProvider, options.DeletesNamespaces);
        foreach (var (kind, body) in SystemObjects)
        {
            var key = new ObjectKey(kind, string.Empty, NameOf(body));
            if (store.Find(key) is null) registry.Create(key, body, new WriteOptions("kube-apiserver"));
        }

        saves = true;
        if (state is not null && store.Revision != revision)
            PlaneDisk.Guarded(state.Path, () => state.SaveObjects(store.Revision, store.All));
        return registry;
    }
}
