namespace Cake.Kubectl;

/// <summary>The options of <c>kubectl apply</c> that MeshTrust sets. As in the addin, a switch is given whenever it is not null.</summary>
public sealed class KubectlApplySettings : AutoToolSettings
{
    /// <summary><c>--field-manager</c>: under which name the server keeps who owns the fields.</summary>
    public string? FieldManager { get; set; }

    /// <summary><c>--filename</c>: what to apply.</summary>
    public string? Filename { get; set; }

    /// <summary><c>--server-side</c>: let the server merge.</summary>
    public bool? ServerSide { get; set; }
}
