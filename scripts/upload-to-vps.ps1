<#
.SYNOPSIS
Uploads the code to the VPS and installs it there; settings and state stay as they are.
.PARAMETER NoRestart
Lay out the code only; what runs goes on as it is until the next install.
#>
[CmdletBinding()]
param(
    [string] $VpsHost,
    [string] $VpsUser,
    [string] $VpsPort,
    [string] $SshConfig,
    [switch] $NoRestart
)
. (Join-Path $PSScriptRoot 'connection.ps1')

$vps = Get-Vps $VpsHost $VpsUser $VpsPort $SshConfig
$missing = @(Get-Listed 'code' | Where-Object { -not (Test-Path (Join-Path $Root $_)) })
if ($missing) { throw "missing here: $missing" }
$paths = @(Get-Listed 'code', 'extra' | Where-Object { Test-Path (Join-Path $Root $_) })
$only = if ($NoRestart) { ' --code-only' } else { '' }
$work = New-Work ([System.IO.Path]::GetTempPath())
Push-Location $work
try {
    Invoke-Program 'tar' (@('-czf', 'code.tgz', '--exclude=__pycache__', '-C', $Root) + $paths)
    Invoke-AsRoot $vps 'code.tgz' 'code.tgz' "mkdir code && tar -xzf code.tgz -C code && SUDO bash code/vps/install.sh$only"
}
finally {
    Pop-Location
    Remove-Item -Recurse -Force $work
}
