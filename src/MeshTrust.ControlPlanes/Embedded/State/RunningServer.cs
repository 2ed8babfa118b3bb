using MeshTrust.ControlPlanes.Identity;

namespace MeshTrust.ControlPlanes.Embedded.State;

/// <summary>A server that another process (or another provider of this one) runs on the same state.</summary>
internal sealed record RunningServer(Uri Server, string Kubeconfig)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Kubeconfigs are secret.</summary>
    public override string ToString() => Server.ToString();

    /// <summary>
    /// Asks the recorded port. Only a server with the recorded CA that takes the recorded administrator counts: somebody else may
    /// listen there by now. Null where there is none (yet).
    /// </summary>
    public static async Task<RunningServer?> FindAsync(StateDirectory state, string cluster, CancellationToken cancellationToken)
    {
        if (state.ReadPort() is not (> 0 and var port) || state.ReadIdentity() is not { } bytes) return null;
        ServerIdentity identity;
        try
        {
            identity = ServerIdentity.Parse(bytes);
        }
        catch (FormatException e)
        {
            throw state.Corrupt(state.IdentityFile, e.Message);
        }

        using (identity)
        {
            var server = EmbeddedControlPlane.Address(port);
            using var client = AdministratorClient.Create(identity, server, Patience);
            return await AdministratorClient.AnswersAsync(client, "api/v1/namespaces/kube-system", cancellationToken).ConfigureAwait(false)
                ? new RunningServer(server, identity.Administrator.ToKubeconfig(cluster, server, identity.Ca.CertificatePem))
                : null;
        }
    }
}
