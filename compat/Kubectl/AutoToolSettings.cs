using Cake.Core.Tooling;

namespace Cake.Kubectl;

/// <summary>Settings whose properties become options: <c>FieldManager = "x"</c> is <c>--field-manager "x"</c>.</summary>
public abstract class AutoToolSettings : ToolSettings
{
}
