using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Http;
using MeshTrust.ControlPlanes.Embedded.Identity;
using MeshTrust.ControlPlanes.Embedded.Objects;
using MeshTrust.ControlPlanes.Embedded.State;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// A Kubernetes API server in this process, on loopback only, with a CA and credentials of its own. It stores namespaces, secrets and
/// configmaps and answers as kube-apiserver does; docs/embedded.md says what it does not. It reads no configuration or environment,
/// writes no log and catches no signal.
/// </summary>
public sealed class EmbeddedControlPlane : IAsyncDisposable
{
    private static readonly string[] SystemNamespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];

    private readonly EmbeddedControlPlaneOptions _options;
    private readonly ServerIdentity _identity;
    private readonly AccessRules _rules;
    private readonly RequestLog _log;
    private readonly ApiServer _server;
    private readonly KestrelHost _host;
    private readonly FileStream? _lock;
    private int _disposed;

    private EmbeddedControlPlane(EmbeddedControlPlaneOptions options, ServerIdentity identity, AccessRules rules, RequestLog log, ApiServer server, KestrelHost host, FileStream? stateLock)
    {
        _options = options;
        _identity = identity;
        _rules = rules;
        _log = log;
        _server = server;
        _host = host;
        _lock = stateLock;
        Server = Address(host.Port);
        KubeconfigText = identity.Administrator.ToKubeconfig(options.Name.Value, Server, identity.Ca.CertificatePem);
    }

    /// <summary>Where it listens: <c>https://127.0.0.1:port/</c>.</summary>
    public Uri Server { get; }

    /// <summary>The administrator's kubeconfig (group <c>system:masters</c>), with certificates and key inline: it is secret.</summary>
    public string KubeconfigText { get; }

    /// <summary>The faults that are planned for tests.</summary>
    public required FaultPlan Faults { get; init; }

    /// <summary>The requests that were answered or dropped so far, the latest 10 000.</summary>
    public IReadOnlyList<RequestRecord> Requests => _log.ToList();

    /// <summary>Whether an earlier run left state.</summary>
    internal bool WasThere { get; private init; }

    /// <summary>How many objects of users an earlier run left.</summary>
    internal int Kept { get; private init; }

    /// <summary>Starts a server. It answers when this returns, and every write it acknowledges is in the state directory.</summary>
    /// <exception cref="MeshTrustException">MT2001 the state cannot be read, MT2002 another server has it, MT2004 the port is taken, MT1001 to MT1004 the disk.</exception>
    public static async Task<EmbeddedControlPlane> StartAsync(EmbeddedControlPlaneOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.StateDirectory is not { } path) return await StartAsync(options, null, null, cancellationToken).ConfigureAwait(false);
        var state = new StateDirectory(path, options.Name.Value);
        state.Create();
        return await TryStartAsync(options, state, cancellationToken).ConfigureAwait(false) ?? throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2002", path,
            $"Another server has the state of embedded cluster '{options.Name}'.",
            "Stop it first, or give this one a directory of its own."));
    }

    /// <summary>As <see cref="StartAsync(EmbeddedControlPlaneOptions, CancellationToken)"/>; null where another server holds the lock.</summary>
    internal static async Task<EmbeddedControlPlane?> TryStartAsync(EmbeddedControlPlaneOptions options, StateDirectory state, CancellationToken cancellationToken)
    {
        if (state.TryLock() is not { } stateLock) return null;
        try
        {
            return await StartAsync(options, state, stateLock, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await stateLock.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes a user and says what they may do, beside what everybody may; the grants hold until the server stops.</summary>
    /// <param name="name">The user's name: the certificate's CN.</param>
    /// <param name="groups">The user's groups: the certificate's O.</param>
    /// <param name="grants">What the user may do; a second call for the same name replaces them.</param>
    /// <returns>The user's kubeconfig: it is secret.</returns>
    public string AddUser(string name, IReadOnlyList<string> groups, IReadOnlyList<AccessGrant> grants)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(groups);
        ArgumentNullException.ThrowIfNull(grants);
        var now = _options.TimeProvider.GetUtcNow();
        var credential = _identity.Ca.IssueUser(name, groups, now.AddMinutes(-5), _identity.Ca.Certificate.NotAfter);
        _rules.Grant(name, grants);
        return credential.ToKubeconfig(_options.Name.Value, Server, _identity.Ca.CertificatePem);
    }

    /// <summary>Ends open watches, gives requests in flight a moment, and stops. The state stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _server.Stop();
        await _host.DisposeAsync().ConfigureAwait(false);
        _server.Dispose();
        _identity.Dispose();
        if (_lock is not null) await _lock.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override string ToString() => $"embedded cluster {_options.Name} at {Server}";

    internal static Uri Address(int port) => new($"https://127.0.0.1:{port}/");

    /// <summary>How many of these objects are not a server's own.</summary>
    internal static int CountOfUsers(IEnumerable<StoredObject> objects) =>
        objects.Count(o => o.Kind != ObjectKind.Namespace || !SystemNamespaces.Contains(o.Name));

    private static async Task<EmbeddedControlPlane> StartAsync(EmbeddedControlPlaneOptions options, StateDirectory? state, FileStream? stateLock, CancellationToken cancellationToken)
    {
        var clock = options.TimeProvider;
        if (state is not null) WholeFile.Sweep(state.Path);
        var (revision, objects) = state?.LoadObjects() ?? (0, []);
        var identity = Identity(options, state);
        var rules = new AccessRules();
        var log = new RequestLog();
        var faults = new FaultPlan();
        var authentication = new Authentication(identity.Ca.Certificate, clock);
        var registry = Registry(options, state, revision, objects);
        var server = new ApiServer(authentication, rules, new ObjectEndpoint(registry, clock, options.BookmarkInterval), faults, log, clock);
        try
        {
            var port = options.Port != 0 ? options.Port : state?.ReadPort() ?? 0;
            var host = await KestrelHost.StartAsync(port, options.Port == 0, identity.CreateServerCertificate, server.HandleAsync, cancellationToken).ConfigureAwait(false);
            var result = new EmbeddedControlPlane(options, identity, rules, log, server, host, stateLock)
            {
                Faults = faults,
                WasThere = revision > 0,
                Kept = CountOfUsers(objects),
            };
            try
            {
                state?.SavePort(host.Port);
                return result;
            }
            catch
            {
                await host.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (Exception e) when (KestrelHost.IsBindFailure(e))
        {
            server.Dispose();
            identity.Dispose();
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2004", Address(options.Port).GetLeftPart(UriPartial.Authority),
                $"Embedded cluster '{options.Name}' cannot listen there: the port is taken or not allowed.",
                "Stop what listens there, or take another port; 0 takes any."));
        }
        catch
        {
            server.Dispose();
            identity.Dispose();
            throw;
        }
    }

    private static ServerIdentity Identity(EmbeddedControlPlaneOptions options, StateDirectory? state)
    {
        var now = options.TimeProvider.GetUtcNow();
        if (state?.ReadIdentity() is { } bytes)
        {
            ServerIdentity old;
            try
            {
                old = ServerIdentity.Parse(bytes);
            }
            catch (FormatException e)
            {
                throw state.Corrupt(state.IdentityFile, e.Message);
            }

            if (old.IsFresh(now)) return old;
            old.Dispose();
        }

        var identity = ServerIdentity.Create(options.Name.Value, now);
        state?.SaveIdentity(identity.ToJson());
        return identity;
    }

    // What a new cluster has is made in memory and saved in one go: a killed start leaves nothing, or all of it.
    private static ObjectRegistry Registry(EmbeddedControlPlaneOptions options, StateDirectory? state, long revision, IReadOnlyList<StoredObject> objects)
    {
        var saves = false;
        var store = new ObjectStore(revision, objects, options.WatchHistory, (r, all) =>
        {
            if (saves) state?.SaveObjects(r, all);
        });
        var registry = new ObjectRegistry(store, options.TimeProvider, options.DeletesNamespaces);
        foreach (var name in SystemNamespaces)
        {
            if (store.Find(ObjectKind.Namespace, string.Empty, name) is not null) continue;
            var body = new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } };
            registry.Create(ObjectKind.Namespace, string.Empty, body, new WriteOptions { Manager = "kube-apiserver" });
        }

        saves = true;
        if (store.Revision != revision) state?.Save(store);
        return registry;
    }
}
